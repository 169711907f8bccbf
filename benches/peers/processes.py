"""Running other programs: each call is a fresh process, and a failure names it in one line.

Nothing here knows what the programs do.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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

Command = Sequence[str | Path]


class Failure(Exception):
    """What went wrong, in words for the user; no traceback is needed to understand it."""


def run(name: str, command: Command, threads: int | None = None) -> str:
    """What a program prints. `name` says who it is if it fails."""
    environment = {**os.environ, **on_threads(threads)}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    except OSError as error:
        raise Failure(f"{name} could not be started: {error.strerror}") from error
    if done.returncode != 0:
        raise Failure(f"{name} failed ({ending(done.returncode)}): {tail(done.stderr)}")
    return done.stdout


def run_json(name: str, command: Command, threads: int | None = None) -> dict[str, Any]:
    """The object that is the last line of what a program prints."""
    lines = run(name, command, threads).strip().splitlines()
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
