"""KMeans from the same centroids on the same file: ours, scikit-learn, oneDAL and faiss.

Two measures. *Exactly ten iterations* is the work itself: no tolerance, nothing pruned on
our side, and an iteration more or less is an error. *To convergence* is what a user waits
for: everything on, the same tolerance. faiss has no test of convergence and only f32.
"""

from __future__ import annotations

from typing import Any

import npy
import problems
import report
from environment import PYTHON, SCRIPTS
from measure import Comparison, Side, check_close, check_same_bits
from problems import Problem
from processes import Command
from report import Section
from workload import Workshop

SCRIPT = SCRIPTS / "peer_kmeans.py"
ITERATIONS = 10
MAX_ITER = 300
TOL = 1e-4

# How far inertias may differ: by rounding in the type of the data only.
TOLERANCES = {"f64": 1e-6, "f32": 1e-4}
# Of noise to convergence in f32: without clusters there are many minima of about the same
# cost, and rounding decides which one a fit ends in, on any side.
NOISE_TOLERANCE = 1e-3
# How many iterations fewer than the fastest peer ours may take to converge, as a part of
# the peer's, and one in any case. Near the end a few rows decide; in f32 rounding moves
# them where blobs overlap much, one way or the other.
SLACK = {"f64": 0.02, "f32": 0.25}

# Peers of each measure: name in the tables, name of the script, section of requirements.
TEN_PEERS = [
    ("scikit-learn", "lloyd", ""),
    ("oneDAL", "onedal", "scikit-learn-intelex"),
    ("faiss", "faiss", "faiss"),
]
CONVERGENCE_PEERS = [
    ("scikit-learn lloyd", "lloyd", ""),
    ("scikit-learn elkan", "elkan", ""),
    ("oneDAL", "onedal", "scikit-learn-intelex"),
]


def sides(
    workshop: Workshop, problem: Problem, flags: Command, ours: Command, peers: list[Any]
) -> tuple[Side, list[Side]]:
    """Ours and the peers of a measure, with the same flags."""
    threads = workshop.threads
    common = [*problem.files, "--threads", str(threads), *flags]
    kept = [
        Side(name, [PYTHON, SCRIPT, "--peer", script, *common], threads)
        for name, script, section in peers
        if not workshop.without(section) and (script != "faiss" or problem.dtype == "f32")
    ]
    command = [workshop.programs.lloyd, "--json", *common, *ours]
    return Side("drystone", command, threads), kept


def compare(workshop: Workshop, problem: Problem, exactly: bool) -> Comparison:
    """One line of either measure, its results compared."""
    fits = 1 if workshop.quick else workshop.args.fits if exactly else 1
    max_iter, tol = (ITERATIONS, 0.0) if exactly else (MAX_ITER, TOL)
    flags = ["--max-iter", str(max_iter), "--tol", str(tol), "--fits", str(fits)]
    pruning = ["--pruning", "off" if exactly else "on"]
    peers = TEN_PEERS if exactly else CONVERGENCE_PEERS
    ours, others = sides(workshop, problem, flags, pruning, peers)
    comparison = Comparison({"data": problem.name, "type": problem.dtype}, ours, others)
    workshop.measure(comparison)
    noise = workshop.args.recipe == "noise" and problem.dtype == "f32" and not exactly
    tolerance = NOISE_TOLERANCE if noise else TOLERANCES[problem.dtype]
    check(comparison, problem.dtype, exactly, tolerance)
    if exactly:
        comparison.extra |= shares(workshop, problem, comparison)
    return comparison


def check(comparison: Comparison, dtype: str, exactly: bool, tolerance: float) -> None:
    """All sides must have come to the same clusters, in as many iterations."""
    ours = comparison.ours.first
    for field in ("inertia", "n_iter"):
        check_same_bits(comparison, field)
    for peer in comparison.peers:
        what = f"inertias of ours and {peer.name}"
        for run in peer.runs:
            check_close(comparison, what, ours["inertia"], run["inertia"], tolerance)
            if exactly:
                right = ours["n_iter"] == run["n_iter"] == ITERATIONS
                comparison.require(right, f"not {ITERATIONS} iterations, {peer.name}")
    if not exactly:
        needed = comparison.fastest.first["n_iter"]
        enough = ours["n_iter"] >= needed - max(1, SLACK[dtype] * needed)
        complaint = f"ours stops after {ours['n_iter']} iterations, the fastest peer {needed}"
        comparison.require(enough, complaint)


def shares(workshop: Workshop, problem: Problem, comparison: Comparison) -> dict[str, str]:
    """The parts of what this machine can do that ours reaches, a tenth of the fit each."""
    limits = workshop.limits_on(workshop.threads)
    if limits is None:
        return {}
    shape, dtype = problem.shape, problem.dtype
    iteration = comparison.ours.seconds / ITERATIONS
    fma = shape.n * shape.k * shape.d / iteration / limits["fma_per_second"][dtype]
    read = shape.n * shape.d * npy.BYTES[dtype] / iteration / limits["read_bytes_per_second"]
    return {"of peak FMA": report.percent(fma), "of read bandwidth": report.percent(read)}


def run(workshop: Workshop) -> list[Section]:
    """Both measures of all problems."""
    found = problems.make_all(workshop)
    ten = [compare(workshop, problem, exactly=True) for problem in found]
    # To be quick, the last type only: processes that import the peers take the time.
    last = found[-1:] if workshop.quick else found
    convergence = [compare(workshop, problem, exactly=False) for problem in last]
    more = list(ten[0].extra)
    note = f"Seconds of a whole fit of {ITERATIONS} iterations from given centroids"
    if more:
        note += "; parts of this machine's limits, n k d multiply-adds and one reading of "
        note += "the data to an iteration, a tenth of our fit. f64 rows are screened in f32: "
        note += "their part of the f64 peak may be above 100 %"
    files = [problem.to_json() for problem in found]
    return [
        Section("KMeans, exactly ten iterations", note + ".", *peer_table(ten, more), ten, files),
        Section(
            "KMeans, to convergence",
            f"Seconds of a whole fit to tol {TOL:g}, everything on (iterations in brackets).",
            *report.peer_table(convergence, "{seconds} ({n_iter})"),
            convergence,
        ),
    ]


def peer_table(comparisons: list[Comparison], more: list[str]) -> tuple[list[str], list[Any]]:
    """The table of ten iterations."""
    return report.peer_table(comparisons, "{seconds}", more)
