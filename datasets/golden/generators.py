"""Write `generators.json`: what scikit-learn's make_blobs and make_classification mean.

    pip install -r datasets/golden/requirements.txt
    python datasets/golden/generators.py

Facts that hold whatever the random stream: class counts, geometry, ranks,
distributions, and the errors for bad parameters (call, type, message). Where a
fact is a statistic, the number of draws behind it is given with it.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.datasets import make_blobs, make_classification

OUT = Path(__file__).with_suffix(".json")
NAN = math.nan
INF = math.inf


def call(function: Callable[..., Any], kwargs: dict[str, Any]) -> str:
    """The call as Python source."""
    return f"{function.__name__}({', '.join(f'{k}={v!r}' for k, v in kwargs.items())})"


def plain(value: Any) -> Any:
    """JSON for a parameter: tuples as lists, NaN and infinities as strings."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def outcome(function: Callable[..., Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The error a call raises, or the shape and class counts it returns."""
    entry: dict[str, Any] = {"call": call(function, kwargs), "kwargs": plain(kwargs)}
    seeded = kwargs if "random_state" in kwargs else {**kwargs, "random_state": 0}
    try:
        x, y = function(**seeded)[:2]
    except Exception as error:
        bases = [b.__name__ for b in type(error).__mro__[1:-1] if b.__name__ != "Exception"]
        entry["error"] = type(error).__name__
        entry["bases"] = [b for b in bases if b != "BaseException"]
        entry["message"] = str(error)
    else:
        entry["error"] = None
        entry["shape"] = list(x.shape)
        entry["class_counts"] = np.bincount(y).tolist() if len(y) else []
        entry["finite"] = bool(np.isfinite(x).all())
    return entry


BLOBS_BAD: list[dict[str, Any]] = [
    {"n_samples": 0},
    {"n_samples": -1},
    {"n_samples": 2.5},
    {"n_samples": "a"},
    {"n_samples": []},
    {"n_samples": [3, -1]},
    {"n_samples": [1.5, 2]},
    {"n_samples": [0, 0]},
    {"n_samples": [3, 0]},
    {"n_samples": [3, 4], "centers": 2},
    {"n_samples": [3, 4], "centers": [[0.0, 0.0]]},
    {"n_features": 0},
    {"n_features": 1.0},
    {"centers": 0},
    {"centers": -2},
    {"centers": 2.0},
    {"centers": "a"},
    {"centers": []},
    {"centers": [0.0, 1.0]},
    {"centers": [[0.0, NAN], [1.0, 1.0]]},
    {"centers": [[0.0, INF], [1.0, 1.0]]},
    {"centers": [[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]], "n_features": 7},
    {"cluster_std": -1.0},
    {"cluster_std": NAN},
    {"cluster_std": INF},
    {"cluster_std": 0.0},
    {"cluster_std": [1.0, 2.0]},
    {"cluster_std": [1.0, 2.0, -1.0]},
    {"cluster_std": None},
    {"center_box": [-1.0, 1.0]},
    {"center_box": (1.0,)},
    {"center_box": (1.0, -1.0)},
    {"center_box": (-INF, INF)},
    {"center_box": (0.0, NAN)},
    {"shuffle": "yes"},
    {"shuffle": None},
    {"random_state": -1},
    {"random_state": 2**32},
    {"random_state": "a"},
]

CLASSIFICATION_BAD: list[dict[str, Any]] = [
    {"n_samples": 0},
    {"n_samples": 10.5},
    {"n_samples": [5, 5]},
    {"n_features": 0},
    {"n_informative": 0},
    {"n_redundant": -1},
    {"n_repeated": -1},
    {"n_features": 3},
    {"n_features": 5, "n_informative": 3, "n_redundant": 2, "n_repeated": 1},
    {"n_classes": 0},
    {"n_classes": 3},
    {"n_classes": 1, "n_clusters_per_class": 1},
    {"n_classes": 2, "n_clusters_per_class": 3, "n_informative": 2},
    {"n_classes": 5, "n_clusters_per_class": 1, "n_informative": 2},
    {"n_clusters_per_class": 0},
    {"weights": []},
    {"weights": [0.2, 0.3, 0.5]},
    {"weights": 0.5},
    {"weights": "ab"},
    {"weights": [0.3]},
    {"weights": [0.3, 0.3]},
    {"weights": [0.8, 0.6]},
    {"weights": [1.2, -0.2]},
    {"weights": [1.2]},
    {"weights": [NAN, 0.5]},
    {"weights": [0.0, 1.0]},
    {"flip_y": -0.1},
    {"flip_y": 1.1},
    {"flip_y": NAN},
    {"flip_y": 1.0},
    {"class_sep": 0},
    {"class_sep": -1.0},
    {"class_sep": NAN},
    {"class_sep": INF},
    {"hypercube": "yes"},
    {"hypercube": None},
    {"shift": "a"},
    {"shift": [1.0, 2.0]},
    {"shift": NAN},
    {"shift": INF},
    {"scale": 0.0},
    {"scale": -1.0},
    {"scale": [1.0, 2.0]},
    {"scale": [0.0] * 20},
    {"scale": [-1.0] * 20},
    {"scale": NAN},
    {"shuffle": "yes"},
    {"random_state": -1},
]


def rounded(value: Any) -> Any:
    """Floats to six decimals, so that the last bits of a processor do not show."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    return round(value, 6) if isinstance(value, float) else value


def blobs_counts() -> list[dict[str, Any]]:
    """Class sizes with shuffle=False: rows come in class order."""
    made = []
    for n, centers in [
        (10, 3),
        (7, 3),
        (2, 3),
        (1, 1),
        (100, 7),
        (1000, 16),
        (5, 5),
        (100, None),
        ([5, 0, 3], None),
        ([1, 2, 3, 4], None),
        ([4, 3], [[0.0, 0.0, 0.0], [5.0, 5.0, 5.0]]),
    ]:
        x, y = make_blobs(n, centers=centers, shuffle=False, random_state=0)
        assert (np.diff(y) >= 0).all()
        made.append(
            {
                "n_samples": n,
                "centers": centers,
                "shape": list(x.shape),
                "class_counts": np.bincount(y).tolist(),
            }
        )
    return made


def blobs_geometry() -> dict[str, Any]:
    """Centres, stds, shuffling."""
    x, y, c = make_blobs(9, 4, centers=3, cluster_std=0.0, random_state=1, return_centers=True)
    box = np.concatenate(
        [
            make_blobs(5, 4, centers=5, center_box=(-3, 7), random_state=s, return_centers=True)[2]
            for s in range(500)
        ]
    )
    x2, y2, c2 = make_blobs(
        300_000,
        3,
        centers=3,
        cluster_std=[0.5, 1.0, 4.0],
        random_state=2,
        return_centers=True,
    )
    _, y3 = make_blobs(30, centers=3, random_state=0)
    return {
        "std_0_gives_rows_equal_to_their_centre": bool((x == c[y]).all()),
        "centers_are_returned_as_drawn": {
            "shape": list(c.shape),
            "n_values": int(box.size),
            "center_box": [-3, 7],
            "min": float(box.min()),
            "max": float(box.max()),
            "mean": float(box.mean()),
            "variance": float(box.var()),
            "variance_of_the_uniform": 100 / 12,
        },
        "std_per_centre": {
            "cluster_std": [0.5, 1.0, 4.0],
            "rows_per_centre": 100_000,
            "measured_std": [float((x2[y2 == k] - c2[k]).std()) for k in range(3)],
            "measured_mean_offset": [
                float(np.abs((x2[y2 == k] - c2[k]).mean(axis=0)).max()) for k in range(3)
            ],
        },
        "shuffle_permutes_rows_and_labels_together": bool((np.diff(y3) < 0).any()),
        "columns_are_not_permuted": True,
        "n_features_is_ignored_when_centers_is_an_array": True,
        "default_centers": 3,
    }


def classification_counts() -> list[dict[str, Any]]:
    """Class and cluster sizes with flip_y=0; clusters as runs of y when unshuffled."""
    made = []
    for kwargs in [
        {"n_samples": 100},
        {"n_samples": 101},
        {"n_samples": 103, "n_classes": 3, "n_clusters_per_class": 1},
        {"n_samples": 10, "n_classes": 3, "n_clusters_per_class": 2, "n_informative": 3},
        {"n_samples": 3, "n_classes": 4, "n_clusters_per_class": 1},
        {"n_samples": 1000, "weights": [0.7, 0.3]},
        {"n_samples": 1000, "weights": [0.7]},
        {"n_samples": 1001, "weights": [0.7, 0.3]},
        {"n_samples": 1001, "weights": [0.9, 0.1], "n_clusters_per_class": 1},
        # 100 * 0.29 is 28.999999999999996: truncated to 28, and class 0 gets the row.
        {"n_samples": 100, "weights": [0.71, 0.29], "n_clusters_per_class": 1},
        {"n_samples": 1000, "n_classes": 3, "n_clusters_per_class": 1, "weights": [0.1, 0.2]},
        {"n_samples": 100, "weights": [0.1, 0.1]},
        # The documentation says that more than n_samples rows may come back; they do not:
        # the last clusters are cut short.
        {"n_samples": 100, "weights": [0.8, 0.6]},
        {"n_samples": 100, "weights": [0.0, 1.0]},
        {"n_samples": 100, "n_classes": 1, "n_clusters_per_class": 3},
    ]:
        x, y = make_classification(**kwargs, flip_y=0, shuffle=False, random_state=0)
        made.append(
            {
                "kwargs": kwargs,
                "shape": list(x.shape),
                "class_counts": np.bincount(y, minlength=kwargs.get("n_classes", 2)).tolist(),
                "runs_of_y": [[int(k), len(list(g))] for k, g in groupby(y)],
            }
        )
    return made


def flips() -> list[dict[str, Any]]:
    """Labels changed by flip_y: same seed with and without, unshuffled."""
    made = []
    for kwargs in [
        {"flip_y": 0.01, "weights": [0.7, 0.3]},
        {"flip_y": 0.2, "weights": [0.7, 0.3]},
        {"flip_y": 0.2, "n_classes": 4, "n_clusters_per_class": 1},
        {"flip_y": 1.0, "weights": [0.9, 0.1]},
    ]:
        n, seeds = 20_000, 20
        k, f = kwargs.get("n_classes", 2), kwargs["flip_y"]
        weights = kwargs.get("weights", [1 / k] * k)
        changed, counts = [], []
        for seed in range(seeds):
            common = {"n_samples": n, "n_features": 4, "shuffle": False, "random_state": seed}
            _, before = make_classification(**{**kwargs, **common, "flip_y": 0.0})
            _, after = make_classification(**{**kwargs, **common})
            changed.append((before != after).mean())
            counts.append(np.bincount(after, minlength=k))
        made.append(
            {
                "kwargs": kwargs,
                "n_samples": n,
                "seeds": seeds,
                "mean_class_counts": np.mean(counts, axis=0).tolist(),
                "expected_class_counts": [n * ((1 - f) * w + f / k) for w in weights],
                "mean_fraction_changed": float(np.mean(changed)),
                "expected_fraction_changed": f * (1 - 1 / k),
            }
        )
    return made


def vertices() -> list[dict[str, Any]]:
    """Cluster centroids, read off with a separation that drowns the noise."""
    made = []
    sep, seeds = 1e9, 50
    for d, k, per, hypercube in [
        (2, 2, 2, True),
        (3, 4, 2, True),
        (4, 3, 2, True),
        (35, 3, 4, True),
        (3, 4, 2, False),
        (4, 3, 2, False),
    ]:
        rows = k * per
        low, high, distinct, outer, magnitude = INF, 0.0, True, 0.0, []
        for seed in range(seeds):
            x, _ = make_classification(
                rows,
                d,
                n_informative=d,
                n_redundant=0,
                n_classes=k,
                n_clusters_per_class=per,
                flip_y=0,
                class_sep=sep,
                hypercube=hypercube,
                shuffle=False,
                random_state=seed,
            )
            c = x / sep  # one row per cluster, noise of about 1e-9
            size = np.abs(c)
            low, high = min(low, size.min()), max(high, size.max())
            distinct &= len({tuple(r) for r in np.sign(c).astype(int)}) == rows
            magnitude.append(size.mean())
            s = np.linalg.svd(size, compute_uv=False)
            outer = max(outer, s[1] / s[0])
        made.append(
            {
                "n_informative": d,
                "n_clusters": rows,
                "of_vertices": 2**d,
                "hypercube": hypercube,
                "seeds": seeds,
                "min_abs_coordinate_over_class_sep": float(round(low, 6)),
                "max_abs_coordinate_over_class_sep": float(round(high, 6)),
                "mean_abs_coordinate_over_class_sep": float(round(np.mean(magnitude), 4)),
                "sign_patterns_distinct": bool(distinct),
                "second_singular_value_of_abs_over_first_below": 1e-6 if outer < 1e-6 else None,
            }
        )
    return made


def columns() -> dict[str, Any]:
    """Ranks and relations of the useful columns; useless ones; covariance."""
    inf, red, rep, n_features = 5, 3, 4, 15
    x, _ = make_classification(
        2000,
        n_features,
        n_informative=inf,
        n_redundant=red,
        n_repeated=rep,
        shuffle=False,
        random_state=0,
    )
    a, b = x[:, :inf], x[:, inf : inf + red]
    coef, *_ = np.linalg.lstsq(a, b, rcond=None)
    useful = inf + red + rep
    repeats = [
        [j for j in range(inf + red) if (x[:, j] == x[:, r]).all()]
        for r in range(inf + red, useful)
    ]
    shifted, _ = make_classification(
        2000,
        n_features,
        n_informative=inf,
        n_redundant=red,
        n_repeated=rep,
        shuffle=False,
        shift=3.0,
        random_state=0,
    )
    s = shifted[:, :useful]

    # Which column is repeated: a uniform rounded to the nearest of n - 1 steps.
    seeds, source = 4000, 5
    hits = np.zeros(source)
    for seed in range(seeds):
        z, _ = make_classification(
            8,
            6,
            n_informative=3,
            n_redundant=2,
            n_repeated=1,
            shuffle=False,
            random_state=seed,
        )
        hits[next(j for j in range(source) if (z[:, j] == z[:, 5]).all())] += 1

    # Within-cluster covariance over A = U(-1, 1): E[A'A] = n_informative / 3 * I.
    d, fits, per = 4, 400, 500
    spread = np.zeros((d, d))
    coefs: list[float] = []
    means = []
    apart = INF
    for seed in range(fits):
        z, _ = make_classification(
            4 * per,
            d + 2,
            n_informative=d,
            n_redundant=2,
            flip_y=0,
            shuffle=False,
            random_state=seed,
        )
        covariances = []
        for k in range(4):
            part = z[k * per : (k + 1) * per, :d]
            covariances.append(np.cov(part, rowvar=False))
            means.append(np.abs(part.mean(axis=0)).mean())
        spread += np.sum(covariances, axis=0) / (4 * fits)
        apart = min(apart, float(np.ptp(covariances, axis=0).max()))
        coefs.extend(np.linalg.lstsq(z[:, :d], z[:, d:], rcond=None)[0].ravel())
    off = spread[~np.eye(d, dtype=bool)]
    noise, _ = make_classification(
        100_000, 5, n_informative=2, n_redundant=0, shuffle=False, random_state=0
    )
    kinds = make_classification(
        50,
        n_features,
        n_informative=inf,
        n_redundant=red,
        n_repeated=rep,
        random_state=0,
        return_X_y=False,
    ).feature_info
    return {
        "order_when_not_shuffled": ["informative", "redundant", "repeated", "useless"],
        "n_informative": inf,
        "n_redundant": red,
        "n_repeated": rep,
        "n_features": n_features,
        "rank_informative": int(np.linalg.matrix_rank(a)),
        "rank_useful": int(np.linalg.matrix_rank(x[:, :useful])),
        "rank_useful_centred": int(
            np.linalg.matrix_rank(x[:, :useful] - x[:, :useful].mean(axis=0))
        ),
        "rank_all": int(np.linalg.matrix_rank(x)),
        "rank_useful_with_shift_3": int(np.linalg.matrix_rank(s)),
        "rank_useful_with_shift_3_centred": int(np.linalg.matrix_rank(s - s.mean(axis=0))),
        "redundant_residual_below_1e_12": bool(np.abs(a @ coef - b).max() < 1e-12),
        "redundant_coefficients": {
            "n": len(coefs),
            "min": min(coefs),
            "max": max(coefs),
            "mean": float(np.mean(coefs)),
            "variance": float(np.var(coefs)),
            "variance_of_the_uniform": 1 / 3,
            "clusters_sharing_them": "all",
        },
        "each_repeated_column_equals_columns": repeats,
        "repeated_index": {
            "formula": "floor((n_informative + n_redundant - 1) * U(0,1) + 0.5)",
            "seeds": seeds,
            "frequencies_of_5": (hits / seeds).tolist(),
            "expected": [1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8],
            "meaning": "With replacement, but not uniform: the first and the last column "
            "are half as likely as the others.",
        },
        "within_cluster_covariance": {
            "n_informative": d,
            "clusters": 4 * fits,
            "rows_per_cluster": per,
            "mean_diagonal": float(np.diag(spread).mean()),
            "expected_diagonal": d / 3,
            "max_abs_mean_off_diagonal": float(np.abs(off).max()),
            "mean_abs_cluster_mean": float(np.mean(means)),
            "expected_abs_cluster_mean": 1.0,
            "min_over_fits_of_largest_difference_between_clusters": apart,
            "own_matrix_per_cluster": apart > 0.5,
        },
        "useless": {
            "rows": 100_000,
            "max_abs_mean": float(np.abs(noise[:, 2:].mean(axis=0)).max()),
            "variances": noise[:, 2:].var(axis=0).tolist(),
        },
        "shuffled_kinds": {k: kinds.count(k) for k in sorted(set(kinds))},
    }


def shift_and_scale() -> dict[str, Any]:
    """Drawn after all else but the shuffle, so the same seed without them shows them."""
    seeds, sep = 200, 2.5
    shifts, scales = [], []
    for seed in range(seeds):
        common = {"n_samples": 20, "class_sep": sep, "shuffle": False, "random_state": seed}
        base, _ = make_classification(**common)
        x, _ = make_classification(**common, shift=None)
        shifts.append((x - base).mean(axis=0))
        x, _ = make_classification(**common, scale=None)
        scales.append((x / base)[0])
    common = {"n_samples": 20, "shuffle": False, "random_state": 3}
    base, _ = make_classification(**common)
    both, _ = make_classification(**common, shift=2.0, scale=3.0)
    return {
        "x_is_(x + shift) * scale": bool((both == (base + 2.0) * 3.0).all()),
        "useless_columns_too": True,
        "shift_none": {
            "distribution": "U(-class_sep, class_sep) per column",
            "class_sep": sep,
            "n": seeds * 20,
            "min": float(np.min(shifts)),
            "max": float(np.max(shifts)),
        },
        "scale_none": {
            "distribution": "1 + 100 * U(0, 1) per column, that is [1, 101)",
            "n": seeds * 20,
            "min": float(np.min(scales)),
            "max": float(np.max(scales)),
        },
    }


def main() -> None:
    document = {
        "made_by": "datasets/golden/generators.py",
        "scikit_learn": sklearn.__version__,
        "numpy": np.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "make_blobs": {
            "class_counts": blobs_counts(),
            "geometry": rounded(blobs_geometry()),
            # `error` null: accepted, with what comes back.
            "outcomes": [outcome(make_blobs, k) for k in BLOBS_BAD],
        },
        "make_classification": {
            "class_of_cluster_k": "k % n_classes",
            "cluster_sizes": "trunc(n_samples * weights[k % n_classes] / "
            "n_clusters_per_class), then one more to clusters 0, 1, 2, ... in turn, "
            "around again if need be, until n_samples is reached",
            "class_counts": classification_counts(),
            "flip_y": rounded(flips()),
            "vertices": rounded(vertices()),
            "columns": rounded(columns()),
            "shift_and_scale": rounded(shift_and_scale()),
            "outcomes": [outcome(make_classification, k) for k in CLASSIFICATION_BAD],
        },
    }
    text = json.dumps(document, indent=1, allow_nan=False)
    OUT.write_text(text + "\n", encoding="utf-8")
    print(f"{OUT.name}: {len(text) + 1} bytes")


if __name__ == "__main__":
    main()
