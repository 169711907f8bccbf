"""Time a peer's SVC on the files that ours is timed on; one JSON line.

    target/peers/venv/bin/python benches/peers/peer_svc.py --peer libsvm \\
        --data x.npy --targets y.npy --threads 2

One warm-up, unless there is one timed fit only, then whole `fit` and `predict` calls, data
in memory before. The dual objective that is printed is computed here, in f64 and by the
same code for all peers, from the coefficients that they return: for each two classes, added
up.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import peer_common

# Support vectors whose kernels with all others are in memory at once.
CHUNK = 2000

Array = NDArray[Any]


def estimator(args: argparse.Namespace) -> Any:
    """scikit-learn's class: LIBSVM, or oneDAL through scikit-learn-intelex."""
    if args.peer == "onedal":
        from sklearnex.svm import SVC

        return SVC(C=args.c, tol=args.tol)
    from sklearn.svm import SVC, LinearSVC

    if args.peer == "liblinear":
        return LinearSVC(C=args.c, tol=args.tol)
    return SVC(C=args.c, tol=args.tol, cache_size=args.cache)


def results(args: argparse.Namespace, model: Any, x: Array, y: Array) -> dict[str, Any]:
    """What the model comes to, computed from its coefficients."""
    if args.peer == "liblinear":
        return {"primal_objective": primal_objective(model, args.c, x, y)}
    gamma = 1.0 / (x.shape[1] * float(np.asarray(x, dtype=np.float64).var()))
    n_support = int(np.sum(model.n_support_))
    return {"n_support": n_support, "dual_objective": dual_objective(model, gamma)}


def primal_objective(model: Any, c: float, x: Array, y: Array) -> float:
    """Of the squared hinge for two classes, the intercept being regularised as LIBLINEAR's."""
    weights, intercept = model.coef_[0], float(model.intercept_[0])
    sides = np.where(y == model.classes_[1], 1.0, -1.0)
    slacks = np.maximum(0.0, 1.0 - sides * (x @ weights + intercept))
    return float(weights @ weights + intercept**2) / 2 + c * float(slacks @ slacks)


def dual_objective(model: Any, gamma: float) -> float:
    """The dual objectives of all two classes, added up."""
    vectors = np.asarray(model.support_vectors_, dtype=np.float64)
    coefs = np.asarray(model.dual_coef_, dtype=np.float64)
    ends = np.concatenate([[0], np.cumsum(model.n_support_)])
    k, total = len(model.classes_), 0.0
    for i in range(k):
        for j in range(i + 1, k):
            a, b = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
            coef = np.concatenate([coefs[j - 1, a], coefs[i, b]])
            x = np.concatenate([vectors[a], vectors[b]])
            total += float(np.abs(coef).sum()) - quadratic(x, coef, gamma) / 2
    return total


def quadratic(x: Array, coef: Array, gamma: float) -> float:
    """coef' K coef."""
    norms, total = (x**2).sum(axis=1), 0.0
    for start in range(0, len(x), CHUNK):
        rows = slice(start, start + CHUNK)
        squares = norms[rows, None] + norms[None, :] - 2.0 * (x[rows] @ x.T)
        total += float(coef[rows] @ (np.exp(-gamma * np.maximum(squares, 0.0)) @ coef))
    return total


def arguments() -> argparse.Namespace:
    """The command line: that of ours, and who it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer", choices=["libsvm", "liblinear", "onedal"], required=True)
    parser.add_argument("--data", type=Path, required=True, help="n x d .npy")
    parser.add_argument("--targets", type=Path, required=True, help="n x 1 .npy")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--c", type=float, default=1.0)
    parser.add_argument("--tol", type=float, default=1e-3)
    parser.add_argument("--cache", type=float, default=200, help="MB, of LIBSVM")
    parser.add_argument("--predict-rows", type=int, default=20_000)
    parser.add_argument("--fits", type=int, default=3, help="timed fits")
    return parser.parse_args()


def main() -> dict[str, Any]:
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")
    args = arguments()
    x, y = np.load(args.data), np.load(args.targets)[:, 0]
    head = x[: args.predict_rows]
    messages: list[str] = []
    logger = logging.getLogger("sklearnex")
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    with threadpool_limits(limits=args.threads):
        if args.fits > 1:
            estimator(args).fit(x, y).predict(head)
        fits = [peer_common.timed(lambda: estimator(args).fit(x, y)) for _ in range(args.fits)]
        model = fits[-1][1]
        calls = [peer_common.timed(lambda: model.predict(head)) for _ in range(args.fits)]
        accuracy = float((model.predict(x) == y).mean()) if len(x) <= len(head) else None
    if args.peer == "onedal" and not any("accelerated version" in line for line in messages):
        raise RuntimeError(f"oneDAL did not run: {messages}")
    package = "scikit-learn-intelex" if args.peer == "onedal" else "scikit-learn"
    return {
        "library": package,
        "version": version(package),
        "threads": args.threads,
        "seconds": [seconds for seconds, _ in fits],
        "predict_seconds": [seconds for seconds, _ in calls],
        "accuracy": accuracy,
        **results(args, model, x, y),
    }


if __name__ == "__main__":
    peer_common.main(main)
