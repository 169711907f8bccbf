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
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_1_0
from numpy.typing import NDArray

import npy
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
    check_room(args)
    parts = {dtype: path.with_suffix(".part") for dtype, path in paths.items()}
    try:
        write(args, parts)
        for dtype, part in parts.items():
            part.replace(paths[dtype])
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def write(args: argparse.Namespace, parts: dict[str, Path]) -> None:
    """The same rows to one file a type."""
    with contextlib.ExitStack() as stack:
        files = {dtype: stack.enter_context(part.open("wb")) for dtype, part in parts.items()}
        for dtype, file in files.items():
            descr = dtype_to_descr(np.dtype(DTYPES[dtype]))
            fields = {"descr": descr, "fortran_order": False, "shape": (args.n, args.d)}
            write_array_header_1_0(file, fields)
        for start in range(0, args.n, CHUNK):
            rows = chunk(args, start, min(CHUNK, args.n - start))
            for dtype, file in files.items():
                file.write(rows.astype(DTYPES[dtype]).tobytes())


def check_room(args: argparse.Namespace) -> None:
    """For all files on the disk, and for the larger of them in memory."""
    sizes = [args.n * args.d * npy.BYTES[dtype] for dtype in DTYPES]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = shutil.disk_usage(args.stem.parent).free
    for needed, there, where in ((sum(sizes), free, "on the disk"), (max(sizes), memory, "memory")):
        if needed > there:
            shape = f"{args.n} x {args.d}"
            raise ValueError(f"{shape} take {needed / 1e9:.1f} GB, of {there / 1e9:.1f} GB {where}")


def draw_init(args: argparse.Namespace, paths: dict[str, Path]) -> dict[str, Path]:
    """Distinct rows as initial centroids: the same rows for each type."""
    inits = {dtype: Path(f"{args.stem}-k{args.k}-init-{dtype}.npy") for dtype in paths}
    for dtype, path in paths.items():
        x = np.load(path, mmap_mode="r")
        rows = np.random.default_rng(2).choice(len(x), args.k, replace=False)
        init = np.array(x[rows])
        if len(np.unique(init, axis=0)) < args.k:
            raise ValueError(f"of {args.k} rows drawn as initial centroids some are equal")
        np.save(inits[dtype], init)
    return inits


def main() -> dict[str, Any]:
    args = arguments()
    # So that files which are not whole are removed when the end is asked for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    args.stem.parent.mkdir(parents=True, exist_ok=True)
    if args.input:
        paths = {npy.header(args.input).dtype: args.input}
    else:
        paths = {dtype: Path(f"{args.stem}-{dtype}.npy") for dtype in DTYPES}
        make(args, paths)
    inits = draw_init(args, paths)
    files = {dtype: {"data": str(paths[dtype]), "init": str(inits[dtype])} for dtype in paths}
    return {"files": files}


if __name__ == "__main__":
    peer_common.main(main)
