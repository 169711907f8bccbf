"""What the programs that run inside the peers' environment share."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

# Rows whose distances to all centroids are in memory at once.
CHUNK = 20_000

Result = TypeVar("Result")


def main(program: Callable[[], dict[str, Any]]) -> None:
    """Prints what a program returns, or one line that says why it failed."""
    try:
        result = program()
    except Exception as error:  # whatever it is, one line names it
        sys.exit(f"{type(error).__name__}: {error}")
    print(json.dumps(result))


def timed(call: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds that a call took, and what it returned."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def inertia(x: NDArray[Any], centroids: NDArray[Any]) -> float:
    """Sum of squared distances to the nearest centroid, in f64 whatever the data.

    Finds the nearest by the expanded square, and sums its differences: one code for all
    peers, some of which return this sum in f32, or something else. Both are moved to the
    middle of the centroids first: far from zero the square's terms would cancel.
    """
    centroids = centroids.astype(np.float64)
    middle = centroids.mean(axis=0)
    centroids -= middle
    norms = (centroids**2).sum(axis=1)
    total = 0.0
    for start in range(0, len(x), CHUNK):
        rows = x[start : start + CHUNK].astype(np.float64) - middle
        nearest = (norms - 2.0 * (rows @ centroids.T)).argmin(axis=1)
        rows -= centroids[nearest]
        total += float(np.einsum("ij,ij->", rows, rows))
    return total
