"""Time dask-ml's KMeans over blobs that are generated anew in every pass; one JSON line.

Three steps, each a run of its own:

    peer_dask.py centers --out centers.npy             # of the blobs, for both sides
    peer_dask.py fit --centers centers.npy --out dask.npy
    peer_dask.py judge --centers centers.npy --centroids ours.npy dask.npy

`judge` computes the inertia of centroids of both sides on the same rows by the same code:
dask-ml's own `inertia_` is a sum of distances that are not squared.
"""

from __future__ import annotations

import argparse
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_blobs

import peer_common

Array = NDArray[np.float64]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("step", choices=["centers", "fit", "judge"])
    parser.add_argument("--centroids", nargs="+", type=Path, help="to be judged")
    parser.add_argument("--centers", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--block-rows", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--clusters", type=int, default=50)
    parser.add_argument("--oversampling-rows", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--max-iter", type=int, default=10)
    parser.add_argument("--tol", type=float, default=1e-4)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def block(centers: Array, rows: int, seed: int) -> Array:
    """Rows around the centres."""
    return make_blobs(rows, centers=centers, random_state=seed)[0]


def block_sizes(args: argparse.Namespace) -> list[int]:
    """Rows of each block; the last may be shorter."""
    starts = range(0, args.rows, args.block_rows)
    return [min(args.block_rows, args.rows - start) for start in starts]


def lazy_blobs(centers: Array, sizes: list[int]) -> Any:
    """A dask array of blocks that are made when, and whenever, they are needed."""
    import dask
    import dask.array as da

    make = dask.delayed(block)
    blocks = [
        da.from_delayed(make(centers, rows, seed), (rows, centers.shape[1]), dtype=float)
        for seed, rows in enumerate(sizes)
    ]
    return da.concatenate(blocks)


def fit(args: argparse.Namespace) -> dict[str, Any]:
    """One fit, after a warm-up on one block that compiles what Numba compiles.

    The libraries below dask run on one thread each, as dask's own advice is: two of its
    workers already keep two cores busy.
    """
    import dask
    from dask_ml.cluster import KMeans
    from threadpoolctl import threadpool_limits

    dask.config.set(scheduler="threads", num_workers=args.threads)
    centers = np.load(args.centers)
    sizes = block_sizes(args)
    model = KMeans(
        n_clusters=args.clusters,
        oversampling_factor=args.oversampling_rows,
        init_max_iter=args.rounds,
        max_iter=args.max_iter,
        tol=args.tol,
        random_state=0,
    )
    with threadpool_limits(limits=1):
        model.fit(lazy_blobs(centers, sizes[:1]))
        data = lazy_blobs(centers, sizes)
        seconds, _ = peer_common.timed(lambda: model.fit(data))
    np.save(args.out, model.cluster_centers_)
    return {
        "library": "dask-ml",
        "version": version("dask-ml"),
        "dask": version("dask"),
        "threads": args.threads,
        "seconds": [seconds],
        "n_iter": int(model.n_iter_),
    }


def judge(args: argparse.Namespace) -> dict[str, Any]:
    """Inertia of each file of centroids on all rows."""
    candidates = [np.load(path) for path in args.centroids]
    return {"inertia": inertias(np.load(args.centers), block_sizes(args), candidates)}


def inertias(centers: Array, sizes: list[int], candidates: list[Array]) -> list[float]:
    """Of each candidate's centroids, on the same rows by the same code."""
    totals = [0.0] * len(candidates)
    for seed, rows in enumerate(sizes):
        x = block(centers, rows, seed)
        for which, centroids in enumerate(candidates):
            totals[which] += peer_common.inertia(x, centroids)
    return totals


def draw_centers(count: int, features: int) -> Array:
    """Of blobs, uniform in [-10, 10]; always the same."""
    return np.random.default_rng(0).uniform(-10.0, 10.0, (count, features))


def make_centers(args: argparse.Namespace) -> dict[str, Any]:
    """The centres, as many as clusters; the mean variance of the columns of their blobs."""
    centers = draw_centers(args.clusters, args.features)
    np.save(args.out, centers)
    return {"variance": float(centers.var(axis=0).mean()) + 1.0}


def main() -> dict[str, Any]:
    warnings.simplefilter("ignore")
    args = arguments()
    steps = {"centers": make_centers, "fit": fit, "judge": judge}
    return steps[args.step](args)


if __name__ == "__main__":
    peer_common.main(main)
