"""Write `calibrated.json`: optima of Platt's problem, and coupled probabilities.

    pip install -r datasets/golden/requirements.txt
    python datasets/golden/calibrated.py

Sigmoids are found by Newton's method in extended precision (x86's 80 bits), on the problem
as Platt states it: no centring, no scaling. What scikit-learn's `_sigmoid_calibration` gives
stands beside, for it stops earlier. Coupled probabilities are the solution of the linear
system of Wu, Lin and Weng 2004, equation 16, with its border, by LAPACK.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import sklearn
from sklearn.calibration import _sigmoid_calibration

OUT = Path(__file__).with_suffix(".json")
LEAST = 1e-7


def sigmoid_problem(f: Any, y: Any, w: Any) -> tuple[Any, Any]:
    """Decisions and wanted probabilities in extended precision."""
    positive, negative = w[y].sum(), w[~y].sum()
    t = np.where(y, (positive + 1) / (positive + 2), 1 / (negative + 2))
    return f.astype(np.longdouble), t.astype(np.longdouble)


def loss(f: Any, t: Any, w: Any, a: Any, b: Any) -> Any:
    z = a * f + b
    return (w * (np.where(z >= 0, t, t - 1) * z + np.log1p(np.exp(-abs(z))))).sum()


def sigmoid(f: Any, y: Any, w: Any) -> tuple[float, float, float]:
    """a, b and the loss at the optimum."""
    f, t = sigmoid_problem(f, y, w)
    w = w.astype(np.longdouble)
    at = np.array([0, np.log((w[~y].sum() + 1) / (w[y].sum() + 1))], dtype=np.longdouble)
    for _ in range(500):
        p = 1 / (1 + np.exp(at[0] * f + at[1]))
        slope, bend = w * (t - p), w * p * (1 - p)
        g = np.array([(slope * f).sum(), slope.sum()])
        aa, ab, bb = (bend * f * f).sum(), (bend * f).sum(), bend.sum()
        step = np.array([ab * g[1] - bb * g[0], ab * g[0] - aa * g[1]]) / (aa * bb - ab * ab)
        length = np.longdouble(1)
        # So near that the loss cannot tell any more, whole steps converge.
        while -(g @ step) > 1e-12 and loss(f, t, w, *(at + length * step)) > loss(f, t, w, *at):
            length /= 2
        at = at + length * step
        moved = abs(step[0]) * abs(f).max() + abs(step[1])
        if moved < 1e-13:
            break
    assert moved < 1e-13, moved
    return float(at[0]), float(at[1]), float(loss(f, t, w, *at))


def sigmoid_case(name: str, positive: Any, negative: Any, weights: Any = None) -> dict[str, Any]:
    f = np.concatenate([positive, negative])
    y = np.arange(len(f)) < len(positive)
    w = np.ones(len(f)) if weights is None else weights
    a, b, least = sigmoid(f, y, w)
    theirs = _sigmoid_calibration(f, y.astype(int), sample_weight=weights)
    lists = [None, None] if weights is None else [w[y].tolist(), w[~y].tolist()]
    return {
        "name": name,
        "positive": positive.tolist(),
        "negative": negative.tolist(),
        "weights": lists,
        "a": a,
        "b": b,
        "loss": least,
        "scikit_learn": [float(value) for value in theirs],
    }


def sigmoids() -> list[dict[str, Any]]:
    rng = np.random.default_rng(7)

    def two(n: int, m: int, shift: float) -> tuple[Any, Any]:
        return rng.normal(shift, 1.0, n).round(6), rng.normal(-shift, 1.0, m).round(6)

    near = two(40, 60, 0.8)
    weights = (np.arange(100) % 4).astype(float)
    counts = np.concatenate([np.repeat(near[0], 3), np.repeat(near[1], 3)])
    return [
        sigmoid_case("overlapping", *near),
        sigmoid_case("weighted", *near, weights),
        sigmoid_case("each_three_times", counts[:120], counts[120:]),
        sigmoid_case("separated", *two(50, 50, 6.0)),
        sigmoid_case("unbalanced", *two(3, 200, 1.0)),
        sigmoid_case("one_each", np.array([0.5]), np.array([-0.25])),
        sigmoid_case("reversed", *two(30, 30, -1.0)),
        sigmoid_case("no_difference", *two(50, 50, 0.0)),
        sigmoid_case("large", *(side * 1e8 for side in two(30, 40, 1.0))),
        sigmoid_case("small", *(side * 1e-9 for side in two(30, 40, 1.0))),
        sigmoid_case("far_away", *(side + 1000.0 for side in two(30, 40, 1.0))),
        sigmoid_case("one_outlier", np.append(near[0], -500.0), near[1]),
    ]


def coupled(r: Any) -> Any:
    """Minimal sum of (r[j, i] p[i] - r[i, j] p[j])^2 with sum 1."""
    k = len(r)
    q = -(r.T * r)
    np.fill_diagonal(q, [(r[:, i] ** 2).sum() - r[i, i] ** 2 for i in range(k)])
    border = np.block([[q, np.ones((k, 1))], [np.ones((1, k)), np.zeros((1, 1))]])
    return np.linalg.solve(border, np.append(np.zeros(k), 1.0))[:k]


def coupling_case(name: str, k: int, pairs: Any) -> dict[str, Any]:
    r = np.zeros((k, k))
    kept = np.clip(pairs, LEAST, 1 - LEAST)
    r[np.triu_indices(k, 1)] = kept
    r.T[np.triu_indices(k, 1)] = 1 - kept
    p = coupled(r)
    assert p.min() > -1e-12 and abs(p.sum() - 1) < 1e-12
    return {"name": name, "n_classes": k, "pairwise": np.asarray(pairs).tolist(), "p": p.tolist()}


def couplings() -> list[dict[str, Any]]:
    rng = np.random.default_rng(8)

    def n_pairs(k: int) -> int:
        return k * (k - 1) // 2

    p = rng.dirichlet(np.ones(6))
    i, j = np.triu_indices(6, 1)
    return [
        coupling_case("two", 2, [0.3]),
        coupling_case("three_in_a_circle", 3, [0.9, 0.1, 0.9]),
        coupling_case("consistent", 6, p[i] / (p[i] + p[j])),
        coupling_case("random", 10, rng.uniform(size=n_pairs(10)).round(6)),
        coupling_case("sure", 5, np.ones(10)),
        coupling_case("sure_of_the_last", 5, np.zeros(10)),
        coupling_case("even", 7, np.full(21, 0.5)),
        coupling_case("many", 40, rng.beta(0.3, 0.3, size=n_pairs(40)).round(6)),
    ]


def main() -> None:
    assert np.finfo(np.longdouble).nmant >= 63, "needs extended precision"
    document = {
        "made_by": "datasets/golden/calibrated.py",
        "scikit_learn": sklearn.__version__,
        "scipy": scipy.__version__,
        "numpy": np.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "sigmoids": sigmoids(),
        "couplings": couplings(),
    }
    text = json.dumps(document, allow_nan=False, indent=None, separators=(",", ":"))
    # One line a case: small, and still to be read.
    text = text.replace('},{"', '},\n{"').replace('],"', '],\n"')
    json.loads(text)
    OUT.write_text(text + "\n", encoding="utf-8")
    print(f"{OUT.name}: {len(text) + 1} bytes")
    for case in document["sigmoids"]:
        print(case["name"], case["a"], case["b"], case["loss"], case["scikit_learn"])


if __name__ == "__main__":
    main()
