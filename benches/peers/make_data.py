"""Make the .npy files of a KMeans comparison, if absent, and say what they hold.

Both element types come from the same f64 draws, so that both are the same clustering
problem. The recipes:

- `blobs`: `centers` centres uniform in [-10, 10]; each row is a centre drawn uniformly
  plus normal noise of standard deviation `std`.
- `noise`: standard normal numbers, no clusters at all: what bounds on distances rule out
  least of.

The initial centroids are `k` distinct rows, drawn uniformly without replacement.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

import peer_common

DTYPES = {"f64": np.float64, "f32": np.float32}
# Rows drawn at once.
CHUNK = 50_000


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recipe", choices=["blobs", "noise"], default="blobs")
    parser.add_argument("--n", type=int, help="rows")
    parser.add_argument("--d", type=int, help="columns")
    parser.add_argument("--k", type=int, required=True, help="initial centroids")
    parser.add_argument("--centers", type=int, help="centres of the blobs")
    parser.add_argument("--std", type=float, help="spread around them")
    parser.add_argument("--input", type=Path, help="this file in place of a recipe")
    parser.add_argument("--stem", type=Path, required=True, help="begins the names of the files")
    return parser.parse_args()


def centers(args: argparse.Namespace) -> NDArray[np.float64]:
    """Centres of the blobs."""
    return np.random.default_rng(0).uniform(-10.0, 10.0, (args.centers, args.d))


def chunk(args: argparse.Namespace, start: int, rows: int) -> NDArray[np.float64]:
    """Rows from `start` on."""
    random = np.random.default_rng([1, start])
    x = random.standard_normal((rows, args.d))
    if args.recipe == "blobs":
        x *= args.std
        x += centers(args)[random.integers(args.centers, size=rows)]
    return x


def make(args: argparse.Namespace, paths: dict[str, Path]) -> None:
    """Writes the rows in each type; a file has its name only when it is whole."""
    if all(path.exists() for path in paths.values()):
        return
    args.stem.parent.mkdir(parents=True, exist_ok=True)
    parts = {dtype: path.with_suffix(".part") for dtype, path in paths.items()}
    shape = (args.n, args.d)
    files = {
        dtype: open_memmap(part, mode="w+", dtype=DTYPES[dtype], shape=shape)
        for dtype, part in parts.items()
    }
    for start in range(0, args.n, CHUNK):
        rows = chunk(args, start, min(CHUNK, args.n - start))
        for file in files.values():
            file[start : start + len(rows)] = rows
    for dtype, file in files.items():
        file.flush()
        parts[dtype].replace(paths[dtype])


def dtype_of(path: Path) -> str:
    """The element type of a file that both sides can read."""
    array = np.load(path, mmap_mode="r")
    names = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
    if array.dtype not in names or array.ndim != 2 or not array.flags.c_contiguous:
        raise ValueError(f"{path.name}: expected 2 dimensions of f32 or f64 in C order")
    return names[array.dtype]


def draw_init(args: argparse.Namespace, paths: dict[str, Path]) -> dict[str, Path]:
    """Distinct rows as initial centroids: the same rows for each type."""
    inits = {dtype: Path(f"{args.stem}-k{args.k}-init-{dtype}.npy") for dtype in paths}
    for dtype, path in paths.items():
        x = np.load(path, mmap_mode="r")
        rows = np.random.default_rng(2).choice(len(x), args.k, replace=False)
        init = np.array(x[rows])
        if len(np.unique(init, axis=0)) < args.k:
            raise ValueError("the rows drawn as initial centroids are not distinct")
        np.save(inits[dtype], init)
    return inits


def main() -> dict[str, Any]:
    args = arguments()
    if args.input:
        paths = {dtype_of(args.input): args.input}
    else:
        paths = {dtype: Path(f"{args.stem}-{dtype}.npy") for dtype in DTYPES}
        make(args, paths)
    args.stem.parent.mkdir(parents=True, exist_ok=True)
    inits = draw_init(args, paths)
    n, d = np.load(next(iter(paths.values())), mmap_mode="r").shape
    files = {dtype: {"data": str(paths[dtype]), "init": str(inits[dtype])} for dtype in paths}
    return {"n": n, "d": d, "k": args.k, "files": files}


if __name__ == "__main__":
    peer_common.main(main)
