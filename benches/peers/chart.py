"""A bar chart of all comparisons, as SVG that needs no library and no other file.

A card of its own background, so that it can be read on light and on dark pages; it is
dark where the reader prefers dark. Each group of bars has a scale of its own: bars compare
sides, and the figures at their ends are seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import report
from measure import Comparison, Side
from report import Section

WIDTH = 860
MARGIN = 24
# Where bars begin, and how long the longest of a group is; a figure follows it.
LEFT, LONGEST = 380, 400
BAR, GROUP_GAP, TITLE = 15, 12, 34
HEADING = "Seconds: less is better. Each group of bars has its own scale"

STYLE = """
  svg { color-scheme: light dark; }
  .card { fill: #ffffff; stroke: #d0d7de; }
  text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
  text { font-size: 12px; fill: #24292f; }
  .title { font-size: 14px; font-weight: 600; }
  .quiet { fill: #57606a; }
  .figure { font-size: 11px; }
  .ours { fill: #0f766e; } .peer { fill: #9aa5b1; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #30363d; }
    text { fill: #e6edf3; } .quiet { fill: #9198a1; }
    .ours { fill: #2dd4bf; } .peer { fill: #5b6673; }
  }
"""


def draw(sections: list[Section], cpu: str, threads: int) -> str:
    """All sections that compare."""
    parts: list[str] = []
    y = MARGIN + 8
    parts.append(text(MARGIN, y, HEADING, "title"))
    y += 18
    parts.append(text(MARGIN, y, f"{cpu}, {report.threads(threads)}; generators on one", "quiet"))
    for section in sections:
        if section.comparisons:
            y += TITLE
            parts.append(text(MARGIN, y, section.title, "title"))
            y += 10
            for comparison in section.comparisons:
                parts.extend(group(comparison, y))
                y += BAR * (1 + len(comparison.peers)) + GROUP_GAP
    return page(y + MARGIN - GROUP_GAP, parts)


def page(height: int, parts: list[str]) -> str:
    """The whole file."""
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="Seconds of drystone and of its peers">\n<style>{STYLE}</style>\n'
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>\n'
        f"{body}\n</svg>\n"
    )


def group(comparison: Comparison, top: int) -> Iterator[str]:
    """Ours and each peer, on a scale of their own."""
    sides = comparison.sides
    slowest = max(side.seconds for side in sides)
    ratio = f"{comparison.ratio:.2f} times as fast as {comparison.fastest.name}"
    yield text(MARGIN, top + 11, comparison.title, "label")
    yield text(MARGIN, top + 26, ratio, "figure quiet")
    for row, side in enumerate(sides):
        kind = "ours" if side is comparison.ours else "peer"
        yield from bar(side, kind, top + row * BAR, max(1.0, side.seconds / slowest * LONGEST))


def bar(side: Side, kind: str, top: int, width: float) -> Iterator[str]:
    """One side: its name, its bar, its seconds."""
    yield text(LEFT - 6, top + 11, side.name, "figure", "end")
    yield (
        f'<rect class="{kind}" x="{LEFT}" y="{top + 2}" width="{width:.1f}" '
        f'height="{BAR - 3}" rx="1.5"/>'
    )
    yield text(LEFT + width + 6, top + 11, report.seconds(side.seconds), "figure")


def text(x: float, y: float, content: str, kind: str, anchor: str = "start") -> str:
    """A line of text."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(content)}</text>'
    )
