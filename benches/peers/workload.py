"""What a workload is, and what it is given: the options, our programs, what this machine
can do."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from environment import Programs
from measure import Comparison
from report import Section


@dataclass
class Workshop:
    """Handed from workload to workload."""

    args: argparse.Namespace
    programs: Programs
    limits: dict[str, Any] | None = None

    @property
    def quick(self) -> bool:
        """Whether only the results matter."""
        return bool(self.args.quick)

    @property
    def threads(self) -> int:
        """Of both sides."""
        return int(self.args.threads)

    def reps(self, otherwise: int | None = None) -> int:
        """Turns of each side."""
        return 1 if self.quick else otherwise or int(self.args.reps)

    def measure(self, comparison: Comparison, reps: int | None = None) -> None:
        """Runs all sides."""
        if self.quick:
            comparison.run_together()
        else:
            comparison.take_turns(self.reps(reps))

    def without(self, name: str) -> bool:
        """Whether a peer is left out."""
        return name in self.args.without

    def limits_on(self, threads: int) -> dict[str, Any] | None:
        """The limits on so many threads, if they were measured."""
        on = self.limits["on"] if self.limits else []
        return next((limits for limits in on if limits["threads"] == threads), None)


def nothing(_: argparse.Namespace) -> None:
    """All options make sense."""


@dataclass(frozen=True)
class Workload:
    """What can be asked for by name."""

    run: Callable[[Workshop], list[Section]]
    # The options that it reads, of those that not every workload does.
    options: tuple[str, ...] = ()
    # Whether it runs beside peers, and the section of requirements that it cannot do without.
    compares: bool = False
    needs: str = ""
    # Raises Failure for options that make no sense, before anything is built.
    check: Callable[[argparse.Namespace], None] = nothing
