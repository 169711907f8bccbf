"""Write `kmeans.json`: what scikit-learn's Lloyd does from given centroids.

    pip install -r datasets/golden/requirements.txt
    python datasets/golden/kmeans.py

Every case is `KMeans(init=<rows of the data>, n_init=1, algorithm="lloyd")` on one
thread. Each is replayed here with plain numpy in f64 (direct differences, no
BLAS), which says how much a case can be trusted: `replay` holds the number of
relocated empty clusters, whether labels and n_iter agree, and `closest_call`,
the smallest gap between best and second-best squared distance met in any
assignment, over |x|^2 + |c|^2 (both shifted by the mean of the data). A case
whose closest call is far above the type's epsilon has one answer only; where it
is near or below, labels may differ in a handful of rows for good reasons.
"""

from __future__ import annotations

import json
import math
import platform
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

DATA = Path(__file__).resolve().parent.parent
OUT = Path(__file__).with_suffix(".json")
F64 = NDArray[np.float64]


def load(name: str) -> F64:
    """One of the data files as an f64 matrix, every column kept."""
    if name == "s1.txt":
        return np.loadtxt(DATA / name, delimiter=",", skiprows=1)
    comma = name in ("spambase.data", "s1-cb.txt")
    return np.loadtxt(DATA / name, delimiter="," if comma else None)


def assign(x: F64, c: F64) -> tuple[NDArray[np.int64], F64, float]:
    """Labels (first of equals), squared distances, closest call."""
    d2 = ((x[:, None, :] - c[None, :, :]) ** 2).sum(axis=2)
    labels = d2.argmin(axis=1)
    rows = np.arange(len(x))
    best = d2[rows, labels].copy()
    d2[rows, labels] = np.inf
    mean = x.mean(axis=0)
    size = ((x - mean) ** 2).sum(axis=1) + ((c - mean) ** 2).sum(axis=1)[labels]
    return labels, best, float(((d2.min(axis=1) - best) / size).min())


def replay(x: F64, c: F64, w: F64, max_iter: int) -> dict[str, Any]:
    """Textbook Lloyd with tol=0; empty clusters take the farthest rows."""
    closest, relocated, n_iter = math.inf, 0, 0
    previous = np.full(len(x), -1)
    settled = False
    for n_iter in range(1, max_iter + 1):
        labels, d2, call = assign(x, c)
        closest = min(closest, call)
        weight = np.bincount(labels, w, minlength=len(c))
        sums = np.zeros_like(c)
        np.add.at(sums, labels, x * w[:, None])
        empty = np.flatnonzero(weight == 0)
        relocated += len(empty)
        for cluster, row in zip(empty, np.argsort(-d2, kind="stable")):
            sums[labels[row]] -= x[row] * w[row]
            weight[labels[row]] -= w[row]
            sums[cluster], weight[cluster] = x[row] * w[row], w[row]
        c = sums / weight[:, None]
        settled = np.array_equal(labels, previous)
        if settled:
            break
        previous = labels
    if not settled:
        labels, _, call = assign(x, c)
        closest = min(closest, call)
    return {
        "labels": labels,
        "centroids": c,
        "n_iter": n_iter,
        "relocated": relocated,
        "closest_call": closest,
    }


def case(
    name: str,
    file: str,
    init_rows: list[int],
    *,
    max_iter: int = 300,
    dtype: str = "float64",
    sample_weight: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """Fit one case and describe it."""
    data = load(file)
    x = data.astype(dtype)
    k = len(init_rows)
    w = (np.arange(len(x)) % 5).astype(dtype) if sample_weight else None
    model = KMeans(
        n_clusters=k,
        init=x[init_rows],
        n_init=1,
        max_iter=max_iter,
        tol=0,
        algorithm="lloyd",
    )
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(x, sample_weight=w)
    labels, centroids = model.labels_, model.cluster_centers_
    assert centroids.dtype == x.dtype

    w64 = np.ones(len(x)) if w is None else w.astype(np.float64)
    diff = data - centroids.astype(np.float64)[labels]
    exact = math.fsum((diff**2 * w64[:, None]).ravel())
    again = replay(data, data[init_rows], w64, max_iter)
    shift = np.abs(again["centroids"] - centroids).max() / np.abs(centroids).max()
    return {
        "name": name,
        "file": file,
        "n": len(x),
        "d": x.shape[1],
        "dtype": dtype,
        "sample_weight": sample_weight,
        "params": {"k": k, "n_init": 1, "algorithm": "lloyd", "tol": 0, "max_iter": max_iter},
        "init_rows": init_rows,
        "note": note,
        "warnings": [str(c.message) for c in caught],
        "n_iter": int(model.n_iter_),
        "inertia": float(model.inertia_),
        # From the returned centroids and labels, exactly summed in f64.
        "inertia_fsum": exact,
        "counts": np.bincount(labels, minlength=k).tolist(),
        "weights": np.bincount(labels, w64, minlength=k).tolist(),
        "labels_head": labels[:20].tolist(),
        # sum of (row + 1) * (label + 1): all labels in one integer.
        "labels_sum": int(((np.arange(len(x)) + 1) * (labels.astype(np.int64) + 1)).sum()),
        "centroids": centroids.astype(np.float64).tolist(),
        "replay": {
            "relocated": again["relocated"],
            "same_n_iter": again["n_iter"] == int(model.n_iter_),
            "labels_differing": int((again["labels"] != labels).sum()),
            "centroids_max_abs_diff_over_max_abs": float(shift),
            "closest_call": again["closest_call"],
        },
    }


def reference(file: str, centres: str, best_known: float) -> dict[str, Any]:
    """Lloyd from the published centres, beside the best known SSE."""
    x, c = load(file), load(centres)
    with threadpool_limits(1):
        model = KMeans(len(c), init=c, n_init=1, tol=0, algorithm="lloyd").fit(x)
    _, d2, _ = assign(x, c)
    return {
        "file": file,
        "centres": centres,
        "k": len(c),
        "best_known_sse": best_known,
        "sse_of_the_published_centres": math.fsum(d2),
        "sse_after_lloyd_from_them": float(model.inertia_),
    }


def all_weights_zero() -> str:
    """The message of the error a fit with nothing but zero weights raises."""
    x = load("s1.txt")
    try:
        KMeans(3, init=x[:3], n_init=1).fit(x, sample_weight=np.zeros(len(x)))
    except ValueError as error:
        return f"ValueError: {error}"
    raise AssertionError("expected an error")


def main() -> None:
    s1 = list(range(15))
    cases = [
        case("s1", "s1.txt", s1),
        case("s1_max_iter_1", "s1.txt", s1, max_iter=1),
        case("s1_max_iter_2", "s1.txt", s1, max_iter=2),
        case(
            "s1_weighted",
            "s1.txt",
            s1,
            sample_weight="row % 5",
            note="Rows of weight 0 add nothing to sums, weights or inertia, but they "
            "get labels, are in `counts` (rows) and their label changes delay the stop.",
        ),
        case(
            "s1_f32",
            "s1.txt",
            s1,
            dtype="float32",
            note="Each f32 centroid is written as the f64 of the same value. The f32 "
            "inertia is scikit-learn's own sum in f32; compare with inertia_fsum.",
        ),
        case(
            "s1_duplicate_init",
            "s1.txt",
            [0, 0, *range(1, 14)],
            note="Row 0 twice, so the closest call is 0 by construction: the second is "
            "empty in the first assignment (ties go to the lower index) and takes the row "
            "farthest from its centroid, which leaves its old cluster's sum.",
        ),
        case(
            "spambase58",
            "spambase.data",
            list(range(0, 4000, 200)),
            note="All 58 columns, the label among them.",
        ),
        case("a3", "a3.txt", list(range(0, 7500, 150))),
    ]
    document = {
        "made_by": "datasets/golden/kmeans.py",
        "scikit_learn": sklearn.__version__,
        "numpy": np.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "threads": 1,
        "semantics": {
            "n_iter": "Counts assignment+update pairs, the last one, in which no label "
            "changed, among them; that pair's update is kept, so the centroids are the "
            "means of their rows.",
            "max_iter": "If reached, labels and inertia come from one more assignment to "
            "the returned centroids, which is not counted; the centroids are then not the "
            "means of those labels.",
            "shift": "X and init are centred on the unweighted column means before the fit.",
            "tol": "tol is multiplied by the mean of the unweighted column variances and "
            "compared with the sum over centroids of squared shifts; 0 stays 0.",
            "empty": "Emptiness is a cluster's weight being 0. The rows with the largest "
            "squared distance to the old centroid are taken, whatever their weight, by "
            "argpartition, so the order among several is unspecified; if every distance "
            "is 0 nothing moves. A cluster still of weight 0 goes to the centroid of the "
            "heaviest cluster.",
            "negative_weights": "Accepted without a check.",
            "all_weights_zero": all_weights_zero(),
        },
        "references": [
            reference("s1.txt", "s1-cb.txt", 8.91765e12),
            reference("a3.txt", "a3-ga-cb.txt", 2.89374e10),
        ],
        "cases": cases,
    }
    text = json.dumps(document, indent=1, allow_nan=False)
    OUT.write_text(text + "\n", encoding="utf-8")
    print(f"{OUT.name}: {len(text) + 1} bytes, {len(cases)} cases")
    for c in cases:
        print(c["name"], c["n_iter"], c["inertia"], c["inertia_fsum"], c["replay"], c["warnings"])
    for r in document["references"]:
        print(r)


if __name__ == "__main__":
    main()
