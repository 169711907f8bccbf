"""Running other programs: each call is a fresh process, and a failure names it in one line.

Each process leads a group of its own, so that whatever it starts ends with it: when it
takes too long, when another side fails, or when a signal asks for the end. Nothing here
knows what the programs do.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]

# What OpenMP, the BLAS libraries, Numba and rayon take for their number of threads.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
)
# Lines of a failed program's errors that are shown.
TAIL = 3
# Seconds in which a process may end by itself when it is asked to.
GRACE = 3.0
# What asks for the end of everything.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Command = Sequence[str | Path]


class Failure(Exception):
    """What went wrong, in words for the user; no traceback is needed to understand it."""


class Stopped(BaseException):
    """A signal asked for the end. Not an Exception: nothing that handles errors takes it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def stop_on_signals() -> None:
    """Raises `Stopped` on signals, but for those that whoever started us has ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)


def stop(number: int, _: object) -> None:
    """Once: a second signal must not stop the ending of the children."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


class Children:
    """The processes that run now."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running: set[subprocess.Popen[str]] = set()
        # Seconds that a call may take which is measured or checked.
        self.time_limit: float | None = None

    def start(
        self, command: Command, environment: Mapping[str, str], output: IO[str] | None = None
    ) -> subprocess.Popen[str]:
        """One more, in a group of its own. All that it says goes to `output`, if there is one."""
        with self.lock:
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=output or subprocess.PIPE,
                stderr=output or subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self.running.add(child)
        return child

    def forget(self, child: subprocess.Popen[str]) -> None:
        """It has ended."""
        with self.lock:
            self.running.discard(child)

    def end_all(self) -> None:
        """Ends all, with whatever they started."""
        with self.lock:
            running = list(self.running)
        for child in running:
            end(child)


CHILDREN = Children()


def end(child: subprocess.Popen[str]) -> None:
    """Asks a process and its group to end, and ends what is left of them."""
    signal_group(child, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    signal_group(child, signal.SIGKILL)


def signal_group(child: subprocess.Popen[str], number: int) -> None:
    """Nothing if none of the group is left."""
    with contextlib.suppress(OSError):
        os.killpg(child.pid, number)


def run(
    name: str, command: Command, threads: int | None = None, time_limit: float | None = None
) -> str:
    """What a program prints. `name` says who it is if it fails or takes too long."""
    environment = {**os.environ, **on_threads(threads)}
    try:
        started = CHILDREN.start(command, environment)
    except OSError as error:
        raise Failure(f"{name} could not be started: {error.strerror}") from error
    with started as child:
        try:
            output, errors = child.communicate(timeout=time_limit)
        except subprocess.TimeoutExpired as error:
            end(child)
            text = f"{name} has not ended after {time_limit:g} s; --timeout allows more"
            raise Failure(text) from error
        except BaseException:
            end(child)
            raise
        finally:
            CHILDREN.forget(child)
    if child.returncode != 0:
        raise Failure(f"{name} failed ({ending(child.returncode)}): {tail(errors)}")
    return output


def run_json(name: str, command: Command, threads: int | None = None) -> dict[str, Any]:
    """The object that is the last line of what a program prints within the time limit."""
    lines = run(name, command, threads, CHILDREN.time_limit).strip().splitlines()
    try:
        return dict(json.loads(lines[-1]))
    except (IndexError, ValueError) as error:
        raise Failure(f"{name} printed no JSON as its last line") from error


def on_threads(threads: int | None) -> Mapping[str, str]:
    """The variables that hold every library to so many threads."""
    return {} if threads is None else dict.fromkeys(THREAD_VARIABLES, str(threads))


def ending(code: int) -> str:
    """How a process ended."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def tail(errors: str) -> str:
    """The last lines of a program's errors, in one."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return " / ".join(lines[-TAIL:]) or "it said nothing"
