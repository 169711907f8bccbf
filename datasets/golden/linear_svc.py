"""Write `linear_svc.json`: what scikit-learn's LinearSVC (LIBLINEAR) finds at a small tol.

    pip install -r datasets/golden/requirements.txt
    python datasets/golden/linear_svc.py

The objective is computed here from the coefficients, since LIBLINEAR does not give it: the
intercept is regularised, and with more than two classes it is the sum over the problems. The
hinge is solved by coordinate descent, which may stop short of its tol; `converged` says so.
"""

from __future__ import annotations

import json
import platform
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.datasets import load_svmlight_file
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

DATA = Path(__file__).resolve().parent.parent
OUT = Path(__file__).with_suffix(".json")
F64 = NDArray[np.float64]


def load(name: str) -> tuple[F64, F64]:
    """Records and targets; spambase standardised, pendigits divided by 100."""
    if name == "spambase.data":
        data = np.loadtxt(DATA / name, delimiter=",")
        x, y = data[:, :-1], data[:, -1]
        return (x - x.mean(axis=0)) / x.std(axis=0), y
    x, y = load_svmlight_file(str(DATA / name))
    return x.toarray() / (100.0 if name == "pendigits" else 1.0), y


def objective(model: LinearSVC, x: F64, y: F64, cost: F64, own: dict[Any, float]) -> float:
    """The sum of the problems' objectives."""
    total = 0.0
    classes = model.classes_
    for k, (w, b) in enumerate(zip(model.coef_, model.intercept_)):
        positive = y == (classes[1] if len(classes) == 2 else classes[k])
        c = cost * np.where(positive, own[classes[1] if len(classes) == 2 else classes[k]], 1.0)
        if len(classes) == 2:
            c = np.where(positive, c, c * own[classes[0]])
        slack = np.maximum(0.0, 1.0 - np.where(positive, 1.0, -1.0) * (x @ w + b))
        loss = slack**2 if model.loss == "squared_hinge" else slack
        total += 0.5 * (w @ w + b * b) + float((c * loss).sum())
    return total


def case(name: str, file: str, *, c: float, loss: str, balanced: bool, weighted: bool) -> dict[str, Any]:
    """Fit one case and describe it."""
    x, y = load(file)
    weight = (np.arange(len(x)) % 4) / 2.0 if weighted else None
    hinge = loss == "hinge"
    # "balanced" of LinearSVC counts sample weights, that of SVC rows: rows are counted here.
    counts = {k: int((y == k).sum()) for k in np.unique(y)}
    own = {k: len(y) / (len(counts) * n) if balanced else 1.0 for k, n in counts.items()}
    model = LinearSVC(
        C=c,
        loss=loss,
        tol=1e-8,
        dual=hinge,
        class_weight=own,
        max_iter=2_000_000 if hinge else 10_000,
        random_state=0,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(x, y, sample_weight=weight)
    cost = c * (np.ones(len(x)) if weight is None else weight)
    decisions = model.decision_function(x[:5])
    return {
        "name": name,
        "file": file,
        "c": c,
        "loss": loss,
        "balanced": balanced,
        "weighted": weighted,
        "converged": not any(issubclass(w.category, ConvergenceWarning) for w in caught),
        "objective": objective(model, x, y, cost, own),
        "coef": model.coef_.tolist(),
        "intercept": model.intercept_.tolist(),
        "decisions_head": decisions.reshape(5, -1).tolist(),
        "accuracy": float((model.predict(x) == y).mean()),
    }


def main() -> None:
    cases = []
    for file, short in (("heart_scale", "heart"), ("spambase.data", "spam"), ("pendigits", "pen")):
        for loss in ("squared_hinge", "hinge"):
            # Ten problems of the hinge take a debug build long.
            few = short == "pen" and loss == "hinge"
            for c in (1.0,) if few else (0.01, 1.0):
                plain = {"c": c, "loss": loss, "balanced": False, "weighted": False}
                cases.append(case(f"{short}_{loss}_{c}", file, **plain))
            if few:
                continue
            rest = {"c": 0.1, "loss": loss, "balanced": True, "weighted": True}
            cases.append(case(f"{short}_{loss}_weighted", file, **rest))
    document = {
        "made_by": "datasets/golden/linear_svc.py",
        "scikit_learn": sklearn.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "cases": cases,
    }
    OUT.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
