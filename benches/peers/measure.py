"""Sides that take turns, and what their runs come to.

A run is one fresh process that prints one JSON object; its `seconds` are the timed calls.
The figure of a side is the median of all timed calls of all its runs.
"""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from environment import say
from processes import CHILDREN, Command, Failure, run_json

Run = dict[str, Any]


@dataclass
class Side:
    """One program in one role: ours, or a peer."""

    name: str
    command: Command
    threads: int | None = None
    runs: list[Run] = field(default_factory=list)

    def take_turn(self, what: str) -> None:
        """One more run."""
        self.runs.append(run_json(f"{self.name}, {what}", self.command, self.threads))

    @property
    def seconds(self) -> float:
        """The median of all timed calls."""
        return float(statistics.median(second for run in self.runs for second in run["seconds"]))

    @property
    def first(self) -> Run:
        """The run whose results stand for all."""
        return self.runs[0]

    def to_json(self) -> dict[str, Any]:
        """The figure and every run."""
        return {"name": self.name, "seconds": self.seconds, "runs": self.runs}


@dataclass
class Comparison:
    """A line of a table: ours beside one or more peers on the same work."""

    labels: dict[str, str]
    ours: Side
    peers: list[Side]
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """All labels."""
        return ", ".join(self.labels.values())

    @property
    def sides(self) -> list[Side]:
        """Ours, then the peers."""
        return [self.ours, *self.peers]

    def take_turns(self, reps: int) -> None:
        """Ours, each peer, ours again, ..."""
        for turn in range(reps):
            say(f"{self.title}: turn {turn + 1} of {reps}")
            for side in self.sides:
                side.take_turn(self.title)

    def run_together(self) -> None:
        """Each side once, all at the same time: for results, when times mean nothing."""
        say(f"{self.title}: all sides at once")
        with ThreadPoolExecutor(len(self.sides)) as pool:
            turns = [pool.submit(side.take_turn, self.title) for side in self.sides]
            try:
                for turn in as_completed(turns):
                    turn.result()
            except BaseException:
                # The others need not end what nobody will read.
                CHILDREN.end_all()
                raise

    @property
    def fastest(self) -> Side:
        """The peer to beat."""
        return min(self.peers, key=lambda side: side.seconds)

    @property
    def ratio(self) -> float:
        """How many times as fast as the fastest peer we are: below 1 is a loss."""
        return self.fastest.seconds / self.ours.seconds

    def require(self, holds: bool, complaint: str) -> None:
        """Stops everything: a time of wrong results is worth nothing."""
        if not holds:
            raise Failure(f"{self.title}: {complaint}")

    def to_json(self) -> dict[str, Any]:
        """Everything that was measured."""
        return {
            "labels": self.labels,
            "ratio_to_fastest": self.ratio,
            "fastest": self.fastest.name,
            "ours": self.ours.to_json(),
            "peers": [peer.to_json() for peer in self.peers],
            **self.extra,
        }


def check_close(
    comparison: Comparison, what: str, ours: float, peer: float, tolerance: float
) -> None:
    """Two numbers that must agree, relative to the peer's."""
    close = abs(ours - peer) <= tolerance * abs(peer)
    comparison.require(close, f"{what} differ by more than {tolerance:g}: {ours!r}, {peer!r}")


def check_same_bits(comparison: Comparison, field_name: str) -> None:
    """Ours must be the same in every run."""
    values = {run[field_name] for run in comparison.ours.runs}
    comparison.require(len(values) == 1, f"our {field_name} is not the same in every run")
