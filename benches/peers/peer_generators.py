"""Time whole calls of scikit-learn's generators, as `generate` times ours; one JSON line."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.datasets import make_blobs, make_classification

import peer_common

Data = tuple[NDArray[np.float64], NDArray[np.int64]]


def arguments() -> argparse.Namespace:
    """The command line of ours."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kind", choices=["blobs", "classification"], required=True)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--centers", type=int, default=50)
    parser.add_argument("--calls", type=int, default=7, help="timed calls")
    return parser.parse_args()


def make(args: argparse.Namespace, seed: int) -> Data:
    """One call, with the defaults of scikit-learn."""
    if args.kind == "blobs":
        return make_blobs(args.rows, args.features, centers=args.centers, random_state=seed)
    return make_classification(args.rows, args.features, random_state=seed)


def describe(data: Data) -> dict[str, Any]:
    """The fields of `spread::describe`."""
    x, y = data
    counts = np.bincount(y)
    means = np.stack([x[y == target].mean(axis=0) for target in range(len(counts))])
    return {
        "shape": list(x.shape),
        "mean": float(x.mean()),
        "median_std": float(np.median(x.std(axis=0))),
        "within_std": float(np.sqrt(((x - means[y]) ** 2).mean())),
        "n_classes": len(counts),
        "smallest_share": float(counts.min() / len(y)),
    }


def main() -> dict[str, Any]:
    args = arguments()
    data = make(args, 0)  # warm-up
    seeds = range(1, args.calls + 1)
    seconds = [peer_common.timed(partial(make, args, seed))[0] for seed in seeds]
    return {
        "library": "scikit-learn",
        "version": sklearn.__version__,
        "threads": 1,
        "seconds": seconds,
        "data": describe(data),
    }


if __name__ == "__main__":
    peer_common.main(main)
