"""Make the .npy files of an SVC comparison, if absent: records in f64 and f32, targets.

Generated sets are scikit-learn's `make_classification` with seed 0; `a9a` and `pendigits`
are the files in `datasets/`. Targets are whole numbers, stored as f64, (n, 1).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_svmlight_file, make_classification

import peer_common

DATASETS = Path(__file__).resolve().parent.parent.parent / "datasets"
FEATURES = {"a9a": 123, "pendigits": 16}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--name", required=True, help="classification, or a file in datasets/")
    parser.add_argument("--n", type=int, help="rows; of a file the first so many")
    parser.add_argument("--d", type=int, default=4, help="columns")
    parser.add_argument("--informative", type=int, default=2)
    parser.add_argument("--class-sep", type=float, default=1.0)
    parser.add_argument("--stem", type=Path, required=True, help="begins the names of the files")
    return parser.parse_args()


def rows(args: argparse.Namespace) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Records and targets."""
    if args.name != "classification":
        x, y = load_svmlight_file(str(DATASETS / args.name), n_features=FEATURES[args.name])
        return x.toarray()[: args.n], y[: args.n]
    x, y = make_classification(
        args.n,
        args.d,
        n_informative=args.informative,
        class_sep=args.class_sep,
        random_state=0,
    )
    return x, y.astype(np.float64)


def main() -> dict[str, Any]:
    args = arguments()
    args.stem.parent.mkdir(parents=True, exist_ok=True)
    files = {kind: Path(f"{args.stem}-{kind}.npy") for kind in ("f64", "f32", "targets")}
    if not all(path.exists() for path in files.values()):
        x, y = rows(args)
        np.save(files["f64"], x)
        np.save(files["f32"], x.astype(np.float32))
        np.save(files["targets"], y.reshape(-1, 1))
    return {kind: str(path) for kind, path in files.items()}


if __name__ == "__main__":
    peer_common.main(main)
