"""Generators on one thread: whole calls that make a block, beside `make_blobs` and
`make_classification` of scikit-learn."""

from __future__ import annotations

from typing import Any

import report
from environment import PYTHON, SCRIPTS
from measure import Comparison, Side
from report import Section
from workload import Workshop

SCRIPT = SCRIPTS / "peer_generators.py"
ROWS, QUICK_ROWS = 200_000, 5000
FEATURES, CENTERS = 20, 50
KINDS = ["blobs", "classification"]

# How far the statistics of two random data sets of the same distribution may be apart,
# relative to the peer's: about five standard errors at the quick size.
TOLERANCES = {
    "blobs": {"within_std": 0.02, "median_std": 0.15, "smallest_share": 0.02},
    "classification": {"within_std": 0.2, "median_std": 0.05, "smallest_share": 0.1},
}
# How far the means of all values may be apart: those of blobs are the centres'.
MEANS = {"blobs": 1.3, "classification": 0.3}


def compare(workshop: Workshop, kind: str) -> Comparison:
    """One generator."""
    rows = QUICK_ROWS if workshop.quick else ROWS
    calls = 1 if workshop.quick else 7
    flags = ["--kind", kind, "--rows", str(rows), "--features", str(FEATURES)]
    flags += ["--centers", str(CENTERS), "--calls", str(calls)]
    ours = Side("drystone", [workshop.programs.generate, "--json", *flags], 1)
    peer = Side("scikit-learn", [PYTHON, SCRIPT, *flags], 1)
    labels = {"generator": kind, "block": f"{report.count(rows)} x {FEATURES}"}
    comparison = Comparison(labels, ours, [peer])
    workshop.measure(comparison)
    check(comparison, kind)
    return comparison


def check(comparison: Comparison, kind: str) -> None:
    """Both must have made data of the same shape and spread."""
    ours: dict[str, Any] = comparison.ours.first["data"]
    peer: dict[str, Any] = comparison.peers[0].first["data"]
    for field in ("shape", "n_classes"):
        comparison.require(ours[field] == peer[field], f"{field}: {ours[field]}, {peer[field]}")
    for field, tolerance in TOLERANCES[kind].items():
        close = abs(ours[field] / peer[field] - 1) <= tolerance
        comparison.require(close, f"{field} differs: {ours[field]}, {peer[field]}")
    close = abs(ours["mean"] - peer["mean"]) <= MEANS[kind]
    comparison.require(close, f"means differ: {ours['mean']}, {peer['mean']}")


def run(workshop: Workshop) -> list[Section]:
    """Both generators."""
    lines = [compare(workshop, kind) for kind in KINDS]
    header, rows = report.peer_table(lines)
    note = "Seconds of a call that makes one block of f64 and its targets, one thread."
    return [Section("Generators", note, header, rows, lines)]
