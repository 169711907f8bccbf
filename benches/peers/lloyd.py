"""Time scikit-learn's Lloyd: ten iterations from given centroids, warm, one JSON line.

    pip install -r benches/peers/requirements.txt
    python benches/peers/lloyd.py --n 1000000 --d 20 --k 50 --dtype f64 --threads 2

Data and initial centroids are .npy files (C order, little-endian, `--dtype`),
so that another program can run on the very same bytes; they are made if absent:
`make_blobs(n, d, centers=k, random_state=0)` and k rows drawn uniformly without
replacement. A timed fit is `max_iter=10, tol=0, n_init=1`, and must not converge
before. scikit-learn's fit copies and centres the data, runs ten iterations and
then assigns once more; `seconds_per_iteration` is the whole fit over ten, and
`marginal_seconds_per_iteration` takes the cost of a one-iteration fit out:
(median of ten-iteration fits - median of one-iteration fits) / 9.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info, threadpool_limits

ITERATIONS = 10
DTYPES = {"f64": np.float64, "f32": np.float32}


def arguments() -> argparse.Namespace:
    """The command line, with default paths filled in."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=1_000_000, help="rows")
    parser.add_argument("--d", type=int, default=20, help="columns")
    parser.add_argument("--k", type=int, default=50, help="clusters")
    parser.add_argument("--dtype", choices=sorted(DTYPES), default="f64")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fits", type=int, default=5, help="timed fits")
    parser.add_argument("--data", type=Path, help="n x d .npy; made if absent")
    parser.add_argument("--init", type=Path, help="k x d .npy; made if absent")
    parser.add_argument("--make-only", action="store_true", help="make the files and stop")
    args = parser.parse_args()
    stem = f"target/peers/blobs-{args.n}x{args.d}-k{args.k}"
    args.data = args.data or Path(f"{stem}-{args.dtype}.npy")
    args.init = args.init or Path(f"{stem}-{args.dtype}-init.npy")
    return args


def load(path: Path, shape: tuple[int, int], dtype: type) -> NDArray[Any]:
    """A .npy file that must have the shape and type asked for."""
    array = np.load(path, allow_pickle=False)
    assert array.shape == shape, f"{path}: shape {array.shape}, expected {shape}"
    assert array.dtype == dtype, f"{path}: {array.dtype}, expected {np.dtype(dtype)}"
    return np.ascontiguousarray(array)


def inputs(args: argparse.Namespace) -> tuple[NDArray[Any], NDArray[Any]]:
    """Data and initial centroids, made first where the file is absent."""
    dtype = DTYPES[args.dtype]
    if not args.data.exists():
        args.data.parent.mkdir(parents=True, exist_ok=True)
        x, _ = make_blobs(args.n, args.d, centers=args.k, random_state=0)
        np.save(args.data, x.astype(dtype))
    x = load(args.data, (args.n, args.d), dtype)
    if not args.init.exists():
        args.init.parent.mkdir(parents=True, exist_ok=True)
        rows = np.random.default_rng(0).choice(args.n, args.k, replace=False)
        np.save(args.init, x[rows])
    return x, load(args.init, (args.k, args.d), dtype)


def fit(x: NDArray[Any], init: NDArray[Any], iterations: int) -> tuple[float, KMeans]:
    """Seconds and model of one fit of exactly so many iterations."""
    model = KMeans(
        n_clusters=len(init),
        init=init,
        n_init=1,
        max_iter=iterations,
        tol=0,
        algorithm="lloyd",
    )
    start = time.perf_counter()
    model.fit(x)
    seconds = time.perf_counter() - start
    assert model.n_iter_ == iterations, (
        f"converged after {model.n_iter_} of {iterations} iterations: "
        "the timing means nothing, choose other initial centroids"
    )
    return seconds, model


def main() -> None:
    args = arguments()
    x, init = inputs(args)
    if args.make_only:
        return
    warnings.simplefilter("error", ConvergenceWarning)
    with threadpool_limits(limits=args.threads):
        threads = dict(sorted((i["user_api"], i["num_threads"]) for i in threadpool_info()))
        _, model = fit(x, init, ITERATIONS)  # warm-up
        short = [fit(x, init, 1)[0] for _ in range(args.fits)]
        seconds = [fit(x, init, ITERATIONS)[0] for _ in range(args.fits)]
    median = statistics.median(seconds)
    result = {
        "peer": "scikit-learn",
        "version": sklearn.__version__,
        "n": args.n,
        "d": args.d,
        "k": args.k,
        "dtype": args.dtype,
        "threads": threads,
        "iterations": ITERATIONS,
        "seconds": seconds,
        "median": median,
        "seconds_per_iteration": median / ITERATIONS,
        "marginal_seconds_per_iteration": (median - statistics.median(short)) / (ITERATIONS - 1),
        "seconds_one_iteration": short,
        "inertia": float(model.inertia_),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
