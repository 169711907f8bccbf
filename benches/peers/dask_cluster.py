"""A dask cluster of real processes on loopback: a scheduler, and workers of one thread each.

Ports are free ones, files are in a temporary directory, and settings are dask's defaults:
nothing is given but where to listen and how many threads, and that a worker has no nanny,
which would start it again when it is killed. What a nanny sets before it starts a worker is
set here. All is ended and removed when the block of `started` is left, however it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from environment import PYTHON, SCRIPTS
from processes import CHILDREN, Failure, end, ending, on_threads, tail

LOOPBACK = "127.0.0.1"
# Seconds in which a process must say where it is, also on a machine that is busy.
START = 120
# Should this process be killed, nothing ends its children. After so long without work the
# scheduler ends by itself, and workers without nannies end with it.
IDLE = "10 minutes"
# As a nanny would set them: distributed.nanny.pre-spawn-environ.
NANNY = {"MALLOC_TRIM_THRESHOLD_": "65536"}


@dataclass
class Member:
    """The scheduler or a worker: a process, and what it says."""

    name: str
    process: subprocess.Popen[str]
    log: Path

    def check(self) -> None:
        """It must not have ended."""
        code = self.process.poll()
        if code is not None:
            text = self.log.read_text(errors="replace")
            raise Failure(f"{self.name} has ended ({ending(code)}): {tail(text)}")

    def signal(self, number: int) -> None:
        """To the process; nothing if it has ended."""
        self.process.send_signal(number)

    def end(self) -> None:
        """Ends it, also when it is stopped or has ended."""
        if self.process.poll() is None:
            # One that is stopped takes no request to end until it continues.
            self.signal(signal.SIGCONT)
            end(self.process)
            self.process.wait()
        CHILDREN.forget(self.process)


@dataclass
class Cluster:
    """The processes of one cluster, and the directory of all that they write."""

    directory: Path
    address: str = ""
    members: list[Member] = field(default_factory=list)

    @property
    def scheduler(self) -> Member:
        """The first that was started."""
        return self.members[0]

    @property
    def workers(self) -> list[Member]:
        """All but the scheduler."""
        return self.members[1:]

    def start(self, name: str, module: str, *flags: str) -> None:
        """One more process of the environment's, in a group of its own."""
        log = self.directory / f"{name}.log"
        module = f"distributed.cli.{module}"
        http = ["--no-dashboard", "--dashboard-address", f"{LOOPBACK}:0"]
        command = [PYTHON, "-m", module, *flags, "--host", LOOPBACK, *http]
        with log.open("w") as output:
            process = CHILDREN.start(command, self.environment(), output)
        self.members.append(Member(name, process, log))

    def environment(self) -> dict[str, str]:
        """One thread below each worker; the modules that tasks are from; no other directory."""
        return {
            **os.environ,
            **on_threads(1),
            **NANNY,
            "PYTHONPATH": str(SCRIPTS),
            "TMPDIR": str(self.directory),
            "DASK_TEMPORARY_DIRECTORY": str(self.directory),
        }

    def start_all(self, n_workers: int) -> None:
        """The scheduler, and workers that know its address; whether they arrive is not known."""
        file = self.directory / "scheduler.json"
        itself = ["--port", "0", "--scheduler-file", str(file), "--idle-timeout", IDLE]
        self.start("scheduler", "dask_scheduler", *itself)
        self.address = self.wait_for_address(file)
        for number in range(n_workers):
            name = f"worker-{number}"
            how = ["--nthreads", "1", "--no-nanny", "--death-timeout", str(START)]
            where = ["--local-directory", str(self.directory)]
            self.start(name, "dask_worker", self.address, "--name", name, *how, *where)

    def wait_for_address(self, file: Path) -> str:
        """Where the scheduler listens, which it writes to a file."""
        until = time.monotonic() + START
        while time.monotonic() < until:
            self.check()
            # It may have been written in part.
            with contextlib.suppress(OSError, ValueError):
                return str(json.loads(file.read_text())["address"])
            time.sleep(0.05)
        raise Failure(f"the scheduler has not said its address after {START} s")

    def check(self) -> None:
        """All must be running."""
        for member in self.members:
            member.check()

    def end(self) -> None:
        """Ends all, the workers first; also those that are stopped or ended."""
        for member in reversed(self.members):
            member.end()


@contextlib.contextmanager
def started(n_workers: int) -> Iterator[Cluster]:
    """A cluster whose processes have been started."""
    with tempfile.TemporaryDirectory(prefix="drystone-dask-", ignore_cleanup_errors=True) as name:
        cluster = Cluster(Path(name))
        try:
            cluster.start_all(n_workers)
            yield cluster
        finally:
            cluster.end()
