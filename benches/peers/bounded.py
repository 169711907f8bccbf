"""Blocks of code that must end in time: what is left of them is given up by an alarm.

For the main thread only, which is where signals arrive.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from processes import Failure


class OutOfTime(BaseException):
    """Not an Exception: nothing in between that handles errors takes it."""


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raises `OutOfTime` here when they have passed. Not to be nested."""
    signal.signal(signal.SIGALRM, out_of_time)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def out_of_time(*_: object) -> None:
    """The handler of the alarm."""
    raise OutOfTime


@contextlib.contextmanager
def at_most(seconds: float, what: str) -> Iterator[None]:
    """An error if it takes longer."""
    try:
        with limit(seconds):
            yield
    except OutOfTime:
        raise Failure(f"{what} has not ended after {seconds:g} s") from None
