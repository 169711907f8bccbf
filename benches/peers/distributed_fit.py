"""One fit of dask-ml's KMeans on a cluster of its own: warmed up, perhaps disturbed, timed.

Runs in the peers' environment; the workers have this module too.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import distributed
import numpy as np
from dask_ml.cluster import KMeans
from distributed import Client
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import dask_cluster
import peer_dask
from bounded import OutOfTime, at_most, limit
from dask_cluster import START, Cluster

Array = NDArray[np.float64]

# What decides when a worker is given up and what follows; and the scheduling itself.
SETTINGS = (
    "distributed.scheduler.worker-ttl",
    "distributed.scheduler.allowed-failures",
    "distributed.scheduler.no-workers-timeout",
    "distributed.scheduler.work-stealing",
    "distributed.scheduler.worker-saturation",
    "distributed.comm.timeouts.connect",
    "distributed.comm.timeouts.tcp",
    "distributed.comm.retry.count",
)
# Seconds in which workers compile, and in which a scheduler answers.
WARM_UP, ANSWER = 300, 20
# Rows of the warm-up to a cluster.
WARM_UP_ROWS = 100


@dataclass(frozen=True)
class Job:
    """The deck's job: what is generated, and how it is clustered."""

    blocks: int
    block_rows: int
    features: int
    centers: int
    clusters: int
    oversampling: float
    init_max_iter: int
    max_iter: int
    seed: int
    persist: bool

    @property
    def rows(self) -> int:
        """In all."""
        return self.blocks * self.block_rows

    def blob_centers(self) -> Array:
        """Of the blobs; whatever the seed."""
        return peer_dask.draw_centers(self.centers, self.features)

    def data(self) -> Any:
        """Blocks that workers make whenever they need them."""
        return peer_dask.lazy_blobs(self.blob_centers(), [self.block_rows] * self.blocks)

    def model(self) -> KMeans:
        """The rest of dask-ml's parameters are its defaults."""
        return KMeans(
            n_clusters=self.clusters,
            oversampling_factor=self.oversampling,
            init_max_iter=self.init_max_iter,
            max_iter=self.max_iter,
            random_state=self.seed,
        )

    def inertias(self, candidates: list[Array]) -> list[float]:
        """A row, of each candidate's centroids, on rows that are generated here."""
        sizes = [self.block_rows] * self.blocks
        totals = peer_dask.inertias(self.blob_centers(), sizes, candidates)
        return [total / self.rows for total in totals]


@dataclass(frozen=True)
class Disturbance:
    """A signal to the last worker, so many seconds after the fit began."""

    number: signal.Signals
    after: float


@dataclass
class Fit:
    """What came of one."""

    # "fitted", "hung", or the error.
    outcome: str
    # Until that.
    seconds: float
    persist_seconds: float | None
    model: KMeans
    settings: dict[str, Any]
    # Seconds after the fit began at which the signal was sent.
    signalled: float | None
    # Seconds after that at which the scheduler gave the worker up.
    noticed: float | None

    @property
    def fitted(self) -> bool:
        """Whether there is a model."""
        return self.outcome == "fitted"


def run(job: Job, n_workers: int, seconds: float, disturbance: Disturbance | None = None) -> Fit:
    """On a new cluster, which is ended. What takes longer than these seconds has hung."""
    with dask_cluster.started(n_workers) as cluster, connected(cluster) as client:
        with at_most(WARM_UP, "warming up"):
            warm_up(client, job)
            settings = client.run_on_scheduler(settings_in_force)
            settings["worker memory limit"] = memory_limits(client)
        data, persist_seconds = job.data(), None
        if job.persist:
            with at_most(seconds, "persisting"):
                data, persist_seconds = persisted(data)
        model = job.model()
        timer = Timer(cluster, disturbance)
        with timer, threadpool_limits(limits=1):
            outcome = outcome_of(model, data, seconds)
        cluster.scheduler.check()
        return Fit(
            outcome=outcome,
            seconds=timer.seconds,
            persist_seconds=persist_seconds,
            model=model,
            settings=settings,
            signalled=timer.signalled,
            noticed=noticed(client, timer),
        )


@contextlib.contextmanager
def connected(cluster: Cluster) -> Iterator[Client]:
    """A client, once all workers have arrived. It logs nothing: losing a worker is no news here."""
    logging.disable()
    with at_most(START, "connecting to the scheduler"):
        client = Client(cluster.address, timeout=START)
    try:
        with at_most(START, "waiting for workers"):
            while len(client.nthreads()) < len(cluster.workers):
                cluster.check()
                time.sleep(0.05)
        yield client
    finally:
        client.close(timeout=ANSWER)


def warm_up(client: Client, job: Job) -> None:
    """Each worker imports and compiles what the fit needs.

    By itself: a fit on the cluster would also teach the scheduler how long tasks take, of
    blocks of another size.
    """
    addresses = list(client.nthreads())
    compiled = [
        client.submit(compile_all, job, workers=[address], pure=False) for address in addresses
    ]
    client.gather(compiled)


def compile_all(job: Job) -> None:
    """A tiny fit, of rows as they are made and of rows as they arrive: not to be written to."""
    rows = max(job.clusters, job.centers) * WARM_UP_ROWS
    centers = job.blob_centers()
    make = dask.delayed(block)
    with dask.config.set(scheduler="synchronous"):
        for writeable in (True, False):
            made = make(centers, rows, writeable)
            data = da.from_delayed(made, (rows, job.features), dtype=float)
            KMeans(job.clusters, init_max_iter=1, max_iter=1, random_state=0).fit(data)


def block(centers: Array, rows: int, writeable: bool) -> Array:
    """Rows around the centres."""
    x = peer_dask.block(centers, rows, 0)
    x.setflags(write=writeable)
    return x


def settings_in_force() -> dict[str, Any]:
    """What the process that calls this has."""
    return {name: dask.config.get(name) for name in SETTINGS}


def memory_limits(client: Client) -> list[int]:
    """Bytes, of each worker."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return [worker["memory_limit"] for worker in workers.values()]


def persisted(data: Any) -> tuple[Any, float]:
    """The data in the memory of the workers, and the seconds that it took."""
    start = time.perf_counter()
    data = data.persist()
    distributed.wait(data)
    return data, time.perf_counter() - start


class Timer:
    """Seconds of what is done within, and of the signal that is sent in the meantime."""

    def __init__(self, cluster: Cluster, disturbance: Disturbance | None) -> None:
        self.cluster = cluster
        self.disturbance = disturbance
        self.thread: threading.Timer | None = None
        self.start = self.seconds = 0.0
        self.signalled: float | None = None
        # By the clock that the scheduler's events have.
        self.signalled_at = 0.0

    def __enter__(self) -> Timer:
        if self.disturbance:
            self.thread = threading.Timer(self.disturbance.after, self.disturb)
            self.thread.start()
        self.start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self.start
        if self.thread:
            self.thread.cancel()
            self.thread.join()

    def disturb(self) -> None:
        """Sends the signal."""
        assert self.disturbance
        self.signalled, self.signalled_at = time.perf_counter() - self.start, time.time()
        self.cluster.workers[-1].signal(self.disturbance.number)


def outcome_of(model: KMeans, data: Any, seconds: float) -> str:
    """Fits, and says what came of it."""
    try:
        with limit(seconds):
            model.fit(data)
    except OutOfTime:
        return "hung"
    except Exception as error:  # whatever it is, it is the result
        return f"{type(error).__name__}: {error}"
    return "fitted"


def noticed(client: Client, timer: Timer) -> float | None:
    """Seconds from the signal until the scheduler removed a worker, if it has."""
    with at_most(ANSWER, "the scheduler's answer"):
        events = client.get_events("all")
    removed = [
        at - timer.signalled_at
        for at, event in events
        if timer.signalled is not None
        and event["action"] == "remove-worker"
        and at >= timer.signalled_at
    ]
    return min(removed, default=None)
