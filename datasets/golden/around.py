"""Write `around.json`: what scikit-learn's scalers, splits and metrics do.

    pip install -r datasets/golden/requirements.txt
    python datasets/golden/around.py

Rows that are drawn at random are scikit-learn's own, so of shuffled splits only sizes are
here; folds that are not shuffled are here row by row.
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
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

DATA = Path(__file__).resolve().parent.parent
OUT = Path(__file__).with_suffix(".json")
HEAD = 3
F64 = NDArray[np.float64]


def load(name: str) -> F64:
    """One of the data files as an f64 matrix, every column kept."""
    if name == "s1.txt":
        return np.loadtxt(DATA / name, delimiter=",", skiprows=1)
    return np.loadtxt(DATA / name, delimiter=",")


def scaled(scaler: Any, x: F64) -> dict[str, Any]:
    """The first rows, there and back."""
    head = scaler.transform(x[:HEAD])
    assert head.dtype == x.dtype
    back = scaler.inverse_transform(head)
    return {"head": head.astype(float).tolist(), "back": back.astype(float).tolist()}


def standard(x: F64, **params: Any) -> dict[str, Any]:
    """A fitted StandardScaler; weights are row % 5 if asked for."""
    weighted = params.pop("weighted", False)
    weights = (np.arange(len(x)) % 5).astype(float) if weighted else None
    scaler = StandardScaler(**params).fit(x, sample_weight=weights)

    def as_list(values: F64 | None) -> list[float] | None:
        return None if values is None else values.tolist()

    return {
        "params": params,
        "weighted": weighted,
        "mean": as_list(scaler.mean_),
        "var": as_list(scaler.var_),
        "scale": as_list(scaler.scale_),
        **scaled(scaler, x),
    }


def min_max(x: F64, low: float, high: float) -> dict[str, Any]:
    """A fitted MinMaxScaler."""
    scaler = MinMaxScaler(feature_range=(low, high)).fit(x)
    return {
        "feature_range": [low, high],
        "data_min": scaler.data_min_.astype(float).tolist(),
        "data_max": scaler.data_max_.astype(float).tolist(),
        **scaled(scaler, x),
    }


def scalers() -> list[dict[str, Any]]:
    """Real columns of very different scale; whole numbers; columns that do not vary."""
    rows, columns = np.arange(12.0)[:, None], np.arange(3)[None, :]
    flat = np.hstack([rows % 3 - 1 + columns, np.full((12, 1), 0.1), np.zeros((12, 1))])
    flat = np.hstack([flat, np.full((12, 1), -1e9), 1e3 + rows / 7])
    tables: dict[str, F64] = {
        "spambase.data": load("spambase.data"),
        "s1.txt": load("s1.txt"),
        "flat": flat,
    }
    cases = []
    for name, x in tables.items():
        for dtype in ("float64", "float32") if name == "s1.txt" else ("float64",):
            x = x.astype(dtype)
            cases.append({
                "data": name if name != "flat" else flat.tolist(),
                "dtype": dtype,
                "standard": [
                    standard(x),
                    standard(x, weighted=True),
                    standard(x, with_mean=False),
                    standard(x, with_std=False),
                ],
                "min_max": [min_max(x, 0.0, 1.0), min_max(x, -3.0, 0.5)],
            })
    return cases


def sizes() -> list[dict[str, Any]]:
    """Rows to fit on and to test on."""
    cases = []
    for n in (2, 3, 10, 11, 97, 1000, 12345):
        for size in (0.01, 0.1, 0.2, 0.25, 1 / 3, 0.5, 0.99, 1):
            try:
                train, test = train_test_split(np.arange(n), test_size=size)
                found = [len(train), len(test)]
            except ValueError:
                found = None
            cases.append({"n": n, "test_size": size, "rows": found})
    return cases


def by_class(y: NDArray[Any], rows: NDArray[np.int64]) -> list[int]:
    """Rows of each class, in ascending order of classes."""
    return [int((y[rows] == label).sum()) for label in np.unique(y)]


def stratified_sizes() -> list[dict[str, Any]]:
    """Rows of each class to test on, where no ties are broken at random."""
    cases = []
    for counts, size in (
        ([50, 30, 20], 0.2),
        ([501, 302, 199], 0.25),
        ([97, 13], 0.1),
        ([7, 400, 93, 11], 50),
        ([1000, 10, 2], 0.3),
    ):
        y = np.repeat(np.arange(len(counts)), counts)
        found = set()
        for seed in range(20):
            _, test = train_test_split(
                np.arange(len(y)), test_size=size, stratify=y, random_state=seed
            )
            found.add(tuple(by_class(y, test)))
        assert len(found) == 1, (counts, size, found)
        cases.append({"counts": counts, "test_size": size, "test": list(found.pop())})
    return cases


def folds() -> dict[str, Any]:
    """Rows to test on in each fold; sizes of classes where rows are shuffled."""
    # A class of fewer rows than folds is meant.
    warnings.filterwarnings("ignore", message="The least populated class")
    plain, stratified = [], []
    for n, k in ((10, 2), (10, 3), (11, 4), (5, 5)):
        test = [test.tolist() for _, test in KFold(k).split(np.zeros(n))]
        plain.append({"n": n, "n_splits": k, "test": test})
    rng = np.random.default_rng(1)
    targets = [
        rng.integers(0, 3, 40),
        np.sort(rng.integers(-2, 2, 31)),
        np.array(["b", "a", "c", "b", "b", "a", "c", "c", "c", "b", "a", "b", "c"]),
        np.array([0.5, 2.0, 0.5, 2.0, 2.0, -1.0, 0.5, 0.5, 2.0, -1.0, 0.5, 0.5]),
    ]
    for y in targets:
        labels = y if y.dtype.kind != "f" else np.array([str(v) for v in y])
        for k in (2, 3, 5):
            zeros = np.zeros(len(y))
            split = list(StratifiedKFold(k).split(zeros, labels))
            mixed = StratifiedKFold(k, shuffle=True, random_state=0).split(zeros, labels)
            stratified.append({
                "targets": y.tolist(),
                "n_splits": k,
                "test": [test.tolist() for _, test in split],
                "classes_when_shuffled": [by_class(y, test) for _, test in mixed],
            })
    return {"plain": plain, "stratified": stratified}


def metrics() -> list[dict[str, Any]]:
    """Scores with many ties, predictions that miss a class and have one too many."""
    rng, more = np.random.default_rng(2), np.random.default_rng(3)
    cases = []
    for n, levels in ((7, 3), (60, 10), (400, 50), (300, 10**6)):
        y = np.concatenate([[0, 1], rng.integers(0, 2, n - 2)])
        scores = rng.integers(0, levels, n) / 8 + y * levels / 40
        targets, predicted = rng.integers(-1, 3, n), rng.integers(0, 4, n)
        predicted = np.where(rng.random(n) < 0.5, targets, predicted)
        # Few bits each, so that rows sum to exactly 1; some rule the right class out.
        shares = more.multinomial(64, [0.25] * 4, n) / 64
        shares[::9] = [0, 0, 1, 0]
        for weights in (None, rng.integers(0, 5, n) / 4 + (np.arange(n) < 2)):
            w = {"sample_weight": weights}
            cases.append({
                "binary": y.tolist(),
                "scores": scores.tolist(),
                "targets": targets.tolist(),
                "predicted": predicted.tolist(),
                "weights": None if weights is None else weights.tolist(),
                "roc_auc": float(roc_auc_score(y, scores, **w)),
                "accuracy": float(accuracy_score(targets, predicted, **w)),
                "classes": np.unique(np.concatenate([targets, predicted])).tolist(),
                "confusion": confusion_matrix(targets, predicted, **w).astype(float).tolist(),
                "probabilities": shares.tolist(),
                "log_loss": float(log_loss(targets, shares, labels=[-1, 0, 1, 2], **w)),
            })
    return cases


def main() -> None:
    document = {
        "made_by": "datasets/golden/around.py",
        "scikit_learn": sklearn.__version__,
        "numpy": np.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "scalers": scalers(),
        "sizes": sizes(),
        "stratified_sizes": stratified_sizes(),
        "folds": folds(),
        "metrics": metrics(),
    }
    text = json.dumps(document, allow_nan=False, indent=None, separators=(",", ":"))
    # One line a case: small, and still to be read.
    text = text.replace('},{"', '},\n{"').replace('],"', '],\n"')
    json.loads(text)
    OUT.write_text(text + "\n", encoding="utf-8")
    print(f"{OUT.name}: {len(text) + 1} bytes")


if __name__ == "__main__":
    main()
