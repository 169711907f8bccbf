"""Write `svc.json`: the optima that scikit-learn's SVC (LIBSVM) finds.

    pip install -r datasets/golden/requirements.txt
    python datasets/golden/svc.py

Every case is fitted at tol=1e-5 and 1e-3. For each two classes it has the dual
objective, recomputed here in f64 from the coefficients (LIBSVM's own kernels are
f32), and the intercept; for the model the numbers of support vectors and
of distinct ones (equal rows may share a coefficient in any way), the predictions of all rows as positions among the classes, and the decision values
(one-vs-one) of the first rows.

`lattice` is made here and in the test by the same integer arithmetic.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.datasets import load_svmlight_file
from sklearn.metrics.pairwise import linear_kernel, polynomial_kernel, rbf_kernel, sigmoid_kernel
from sklearn.svm import SVC

DATA = Path(__file__).resolve().parent.parent
OUT = Path(__file__).with_suffix(".json")
DECISIONS = 50
F64 = NDArray[np.float64]


def lattice() -> tuple[F64, NDArray[np.int64]]:
    """600 x 3 in three classes with every seventh label moved on."""
    row, column = np.arange(600)[:, None], np.arange(3)[None, :]
    x = ((row * 7919 + column * 104729 + row * column * 31) % 1009) / 1009 * 4 - 2
    y = (x[:, 0] * x[:, 1] > 0.3).astype(int) + (x[:, 2] > 0.8)
    y = np.where(np.arange(600) % 7 == 0, (y + 1) % 3, y)
    return x, y


def load(name: str) -> tuple[F64, NDArray[Any]]:
    if name == "lattice":
        return lattice()
    if name == "spambase.data":
        data = np.loadtxt(DATA / name, delimiter=",")
        x = data[:, :-1]
        return (x - x.mean(axis=0)) / x.std(axis=0), data[:, -1].astype(int)
    features = {"a9a": 123, "heart_scale": 13, "pendigits": 16}[name]
    x, y = load_svmlight_file(str(DATA / name), n_features=features)
    x = x.toarray()
    if name == "a9a":
        x, y = x[:4000], y[:4000]
    if name == "pendigits":
        x = x / 100
    return x, y.astype(int)


def kernel(model: SVC, a: F64, b: F64) -> F64:
    gamma = float(model._gamma)
    if model.kernel == "linear":
        return linear_kernel(a, b)
    if model.kernel == "rbf":
        return rbf_kernel(a, b, gamma=gamma)
    if model.kernel == "poly":
        return polynomial_kernel(a, b, gamma=gamma, degree=model.degree, coef0=model.coef0)
    return sigmoid_kernel(a, b, gamma=gamma, coef0=model.coef0)


def duals(model: SVC) -> list[float]:
    """The dual objective (to be maximized) of each two classes."""
    ends = np.concatenate([[0], np.cumsum(model.n_support_)])
    k, found = len(model.classes_), []
    for i in range(k):
        for j in range(i + 1, k):
            a, b = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
            coef = np.concatenate([model.dual_coef_[j - 1, a], model.dual_coef_[i, b]])
            x = np.concatenate([model.support_vectors_[a], model.support_vectors_[b]])
            quadratic = coef @ kernel(model, x, x) @ coef
            found.append(float(np.abs(coef).sum() - quadratic / 2))
    return found


CASES: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("heart linear", "heart_scale", {"kernel": "linear"}, None),
    ("heart rbf", "heart_scale", {"kernel": "rbf"}, None),
    ("heart rbf C=100", "heart_scale", {"kernel": "rbf", "C": 100.0, "gamma": 0.1}, None),
    ("heart poly", "heart_scale", {"kernel": "poly", "degree": 3}, None),
    ("heart poly coef0", "heart_scale", {"kernel": "poly", "degree": 2, "coef0": 1.0}, None),
    ("heart balanced", "heart_scale", {"kernel": "rbf", "class_weight": "balanced"}, None),
    ("heart weighted", "heart_scale", {"kernel": "rbf", "C": 2.0}, "row % 4 / 2"),
    ("heart auto", "heart_scale", {"kernel": "rbf", "gamma": "auto"}, None),
    ("lattice rbf", "lattice", {"kernel": "rbf", "C": 10.0}, None),
    ("lattice linear", "lattice", {"kernel": "linear"}, None),
    ("lattice poly", "lattice", {"kernel": "poly", "degree": 2, "coef0": 1.0, "gamma": 0.5}, None),
    ("lattice weighted", "lattice", {"kernel": "rbf", "class_weight": "balanced"}, "row % 4 / 2"),
    ("spambase rbf", "spambase.data", {"kernel": "rbf"}, None),
    ("spambase linear", "spambase.data", {"kernel": "linear", "C": 0.1}, None),
    ("spambase poly", "spambase.data", {"kernel": "poly", "degree": 3}, None),
    ("a9a rbf", "a9a", {"kernel": "rbf"}, None),
    ("a9a linear", "a9a", {"kernel": "linear", "C": 0.1}, None),
    ("pendigits rbf", "pendigits", {"kernel": "rbf"}, None),
    ("pendigits poly", "pendigits", {"kernel": "poly", "degree": 3}, None),
]


def case(name: str, data: str, params: dict[str, Any], weights: str | None) -> dict[str, Any]:
    x, y = load(data)
    weight = None if weights is None else np.arange(len(x)) % 4 / 2
    found: dict[str, Any] = {"name": name, "data": data, "params": params, "weights": weights}
    for label, tol in (("tight", 1e-5), ("default", 1e-3)):
        model = SVC(tol=tol, cache_size=1000, decision_function_shape="ovo", **params)
        model.fit(x, y, sample_weight=weight)
        decisions = model.decision_function(x[:DECISIONS]).reshape(min(DECISIONS, len(x)), -1)
        codes = np.searchsorted(model.classes_, model.predict(x))
        found[label] = {
            "tol": tol,
            "duals": duals(model),
            "n_support": model.n_support_.tolist(),
            "n_distinct": len(np.unique(model.support_vectors_, axis=0)),
            "intercept": model.intercept_.tolist(),
            "predictions": "".join(map(str, codes)),
            "decisions": [[float(f"{value:.9g}") for value in row] for row in decisions],
        }
    found["gamma"] = float(model._gamma) if params["kernel"] != "linear" else None
    print(name, found["tight"]["n_support"], found["tight"]["duals"][:2], flush=True)
    return found


def main() -> None:
    versions = {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
    }
    cases = [case(*each) for each in CASES]
    text = json.dumps({"made_by": "datasets/golden/svc.py", "versions": versions, "cases": cases})
    OUT.write_text(text + "\n")


if __name__ == "__main__":
    main()
