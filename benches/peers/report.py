"""The report: sections of Markdown, each a note and a table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from measure import Comparison


@dataclass
class Section:
    """One table, what it means, and the runs behind it."""

    title: str
    note: str
    header: list[str]
    rows: list[list[str]]
    comparisons: list[Comparison] = field(default_factory=list)
    data: Any = None

    def to_markdown(self) -> str:
        """Title, note and table."""
        return f"## {self.title}\n\n{self.note}\n\n{table(self.header, self.rows)}"

    def to_json(self) -> dict[str, Any]:
        """Every run."""
        comparisons = [comparison.to_json() for comparison in self.comparisons]
        return {"title": self.title, "comparisons": comparisons, "data": self.data}


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Markdown whose columns line up in a terminal too."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    rule = ["-" * width for width in widths]
    return "".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |\n"
        for line in (header, rule, *lines[1:])
    )


def peer_table(
    comparisons: list[Comparison], cell: str = "{seconds}", more: list[str] | None = None
) -> tuple[list[str], list[list[str]]]:
    """Header and rows: labels, ours, each peer, and the ratio to the fastest.

    `cell` may also use fields of the side's first run; `more` names entries of `extra`.
    """
    more = more or []
    peers = list(dict.fromkeys(peer.name for line in comparisons for peer in line.peers))
    header = [*comparisons[0].labels, "drystone", *peers, "times as fast as the fastest", *more]
    rows = []
    for line in comparisons:
        sides = {side.name: side for side in line.sides}
        names = [line.ours.name, *peers]
        shown = [filled(cell, sides[name]) if name in sides else "" for name in names]
        extra = [str(line.extra.get(name, "")) for name in more]
        rows.append([*line.labels.values(), *shown, f"{line.ratio:.2f}", *extra])
    return header, rows


def filled(cell: str, side: Any) -> str:
    """One side's figures."""
    return cell.format(**{**side.first, "seconds": seconds(side.seconds)})


def seconds(value: float) -> str:
    """Three or four digits that mean something."""
    digits = max(1, min(4, 2 - math.floor(math.log10(value)))) if value > 0 else 1
    return f"{value:.{digits}f}"


def count(value: int) -> str:
    """1000000 as 1M."""
    for unit, name in ((1_000_000, "M"), (1000, "k")):
        if value >= unit and value % unit == 0:
            return f"{value // unit}{name}"
    return str(value)


def percent(part: float) -> str:
    """A part of the whole."""
    return f"{100 * part:.0f} %"


def threads(number: int) -> str:
    """A number of threads, in words."""
    return f"{number} thread" if number == 1 else f"{number} threads"


def head(machine: dict[str, Any], versions: dict[str, str], quick: bool, without: list[str]) -> str:
    """Where the figures come from."""
    gib = machine["memory_bytes"] / 2**30
    ours = " ".join(filter(None, ["drystone", versions.pop("drystone", "")]))
    runs_on = f"; ours runs on {machine['isa']}" if machine["isa"] else ""
    lines = [
        f"- {machine['cpu']}, {machine['cores']} cores, {gib:.0f} GiB, {machine['system']}; "
        f"{', '.join(machine['vectors']) or 'no vectors known'}{runs_on}",
        f"- {ours} at {machine['commit']}, {machine['rustc']}; Python {machine['python']}",
        f"- {threads(machine['threads'])} unless a table says otherwise; "
        f"load {machine['load_before']:.1f} before, {machine['load_after']:.1f} after",
    ]
    if versions:
        peers = ", ".join(f"{library} {version}" for library, version in versions.items())
        lines.insert(2, f"- {peers}")
    else:
        lines.insert(2, "- no peers: nothing is compared with another library")
    if without:
        lines.insert(3, f"- left out: {', '.join(dict.fromkeys(without))}")
    if quick:
        lines.insert(0, "- **a quick run: results are compared, times mean nothing**")
    return "\n".join(lines)
