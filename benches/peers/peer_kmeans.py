"""Time a peer's KMeans on the files that ours is timed on; one JSON line.

    target/peers/venv/bin/python benches/peers/peer_kmeans.py --peer lloyd \\
        --data x.npy --init c.npy --threads 2

One warm-up of at most ten iterations, then whole `fit` calls, data in memory before. With
a tolerance of 0 a fit must have exactly `--max-iter` iterations. The inertia that is
printed is computed here, in f64 and by the same code for all peers, from the centroids
that they return.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import peer_common

WARM_UP = 10

Array = NDArray[Any]


@dataclass
class Fit:
    """What any peer's fit comes to."""

    centroids: Array
    n_iter: int


@dataclass
class Settings:
    """What a fit is asked for."""

    init: Array
    max_iter: int
    tol: float
    threads: int


def lloyd(x: Array, settings: Settings) -> Fit:
    """scikit-learn's own Lloyd, on OpenMP's threads, whose number main() has limited."""
    from sklearn.cluster import KMeans

    return scikit_learn(KMeans, x, settings, algorithm="lloyd")


def elkan(x: Array, settings: Settings) -> Fit:
    """scikit-learn's Elkan, which prunes by bounds."""
    from sklearn.cluster import KMeans

    return scikit_learn(KMeans, x, settings, algorithm="elkan")


def onedal(x: Array, settings: Settings) -> Fit:
    """oneDAL through scikit-learn-intelex; an error if it fell back on scikit-learn."""
    from sklearnex.cluster import KMeans

    with accelerated():
        return scikit_learn(KMeans, x, settings, n_jobs=settings.threads)


def scikit_learn(estimator: Any, x: Array, settings: Settings, **more: Any) -> Fit:
    """A fit of scikit-learn's KMeans, or of one with its interface."""
    model = estimator(
        n_clusters=len(settings.init),
        init=settings.init,
        n_init=1,
        max_iter=settings.max_iter,
        tol=settings.tol,
        **more,
    ).fit(x)
    return Fit(model.cluster_centers_, model.n_iter_)


class accelerated:
    """Reads scikit-learn-intelex's log, which says whether oneDAL ran."""

    def __enter__(self) -> None:
        self.messages: list[str] = []
        self.handler = logging.Handler()
        self.handler.emit = lambda record: self.messages.append(record.getMessage())
        self.logger = logging.getLogger("sklearnex")
        self.logger.addHandler(self.handler)
        self.logger.setLevel(logging.INFO)
        self.logger.propagate = False

    def __exit__(self, error: type | None, *_: object) -> None:
        self.logger.removeHandler(self.handler)
        ran = any("KMeans.fit: running accelerated version" in line for line in self.messages)
        if error is None and not ran:
            raise RuntimeError(f"oneDAL did not run: {self.messages}")


def faiss(x: Array, settings: Settings) -> Fit:
    """faiss, f32 only. No test of convergence, no rows left out, no last assignment."""
    import faiss as library

    library.omp_set_num_threads(settings.threads)
    model = library.Kmeans(
        x.shape[1],
        len(settings.init),
        niter=settings.max_iter,
        min_points_per_centroid=1,
        max_points_per_centroid=len(x),
    )
    model.train(x, init_centroids=settings.init)
    return Fit(model.centroids, len(model.iteration_stats))


PEERS: dict[str, tuple[str, Callable[[Array, Settings], Fit]]] = {
    "lloyd": ("scikit-learn", lloyd),
    "elkan": ("scikit-learn", elkan),
    "onedal": ("scikit-learn-intelex", onedal),
    "faiss": ("faiss-cpu", faiss),
}


def arguments() -> argparse.Namespace:
    """The command line: that of ours, and who it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer", choices=sorted(PEERS), required=True)
    parser.add_argument("--data", type=Path, required=True, help="n x d .npy")
    parser.add_argument("--init", type=Path, required=True, help="k x d .npy")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-iter", type=int, default=10)
    parser.add_argument("--tol", type=float, default=0.0)
    parser.add_argument("--fits", type=int, default=5, help="timed fits")
    return parser.parse_args()


def main() -> dict[str, Any]:
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")
    args = arguments()
    package, fit = PEERS[args.peer]
    x, init = np.load(args.data), np.load(args.init)
    settings = Settings(init, args.max_iter, args.tol, args.threads)
    with threadpool_limits(limits=args.threads):
        fit(x, Settings(init, min(args.max_iter, WARM_UP), args.tol, args.threads))
        runs = [peer_common.timed(lambda: fit(x, settings)) for _ in range(args.fits)]
        last = runs[-1][1]
        inertia = peer_common.inertia(x, last.centroids)
    if args.tol == 0.0 and last.n_iter != args.max_iter:
        raise RuntimeError(f"converged after {last.n_iter} of {args.max_iter} iterations")
    return {
        "library": package,
        "version": version(package),
        "threads": args.threads,
        "seconds": [seconds for seconds, _ in runs],
        "n_iter": int(last.n_iter),
        "inertia": inertia,
    }


if __name__ == "__main__":
    peer_common.main(main)
