"""The SVC: whole fits and predictions beside LIBSVM and oneDAL, radial basis function, C = 1,
gamma = scale, tol = 1e-3."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import report
from environment import PEERS, PYTHON, SCRIPTS, say
from measure import Comparison, Side, check_close, check_same_bits
from processes import Command, run_json
from report import Section
from workload import Workshop

SCRIPT = SCRIPTS / "peer_svc.py"
OPTIONS = ("reps",)
# Dual objectives of two solutions within tol, relative.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Set:
    """A dataset, and how its files are made."""

    name: str
    flags: tuple[str, ...]
    # Whether LIBSVM takes so long that one fit a turn, without a warm-up, has to do.
    slow: bool = False
    # Whether it takes so long that one turn has to do.
    long: bool = False


def generated(
    n: int, d: int, informative: int, class_sep: float, slow: bool = False, long: bool = False
) -> Set:
    """make_classification."""
    flags = ["--name", "classification", "--n", str(n), "--d", str(d)]
    flags += ["--informative", str(informative), "--class-sep", str(class_sep)]
    return Set(f"{report.count(n)} x {d}", tuple(flags), slow, long)


SETS = [
    generated(10_000, 4, 2, 1.0),
    generated(20_000, 20, 10, 0.7, slow=True),
    generated(50_000, 20, 10, 0.7, slow=True, long=True),
    Set("a9a (33k x 123)", ("--name", "a9a"), slow=True, long=True),
    Set("pendigits (7k x 16, 10 classes)", ("--name", "pendigits")),
]
LINEAR_SET = generated(1_000_000, 20, 2, 1.0)
QUICK_SETS = [
    generated(1500, 4, 2, 1.0),
    Set("pendigits, 800 rows", ("--name", "pendigits", "--n", "800")),
]


def make(data: Set) -> dict[str, Path]:
    """The files, made if absent."""
    say(f"data: {data.name}")
    stem = PEERS / "-".join(["svc", *(flag for flag in data.flags if not flag.startswith("--"))])
    flags: Command = [*data.flags, "--stem", stem]
    made = run_json("data", [PYTHON, SCRIPTS / "make_svc_data.py", *flags])
    return {kind: Path(path) for kind, path in made.items()}


def compare(workshop: Workshop, data: Set) -> Comparison:
    """One dataset: f64 on our side, both types on oneDAL's."""
    files = make(data)
    fits = 1 if workshop.quick else 3
    threads = ["--threads", str(workshop.threads)]

    def flags(dtype: str, fits: int) -> Command:
        paths: Command = ["--data", files[dtype], "--targets", files["targets"]]
        return [*paths, *threads, "--fits", str(fits)]

    ours = Side("drystone", [workshop.programs.svc, "--json", *flags("f64", fits)])
    peers = []
    for name, cache in (("LIBSVM, 200 MB", "200"), ("LIBSVM, 2 GB", "2000")):
        command = [PYTHON, SCRIPT, "--peer", "libsvm", "--cache", cache]
        peers.append(Side(name, [*command, *flags("f64", 1 if data.slow else fits)]))
    if not workshop.without("scikit-learn-intelex"):
        for name, dtype in (("oneDAL f64", "f64"), ("oneDAL f32", "f32")):
            peers.append(Side(name, [PYTHON, SCRIPT, "--peer", "onedal", *flags(dtype, fits)]))
    comparison = Comparison({"data": data.name}, ours, peers)
    workshop.measure(comparison, 1 if data.long else None)
    check(comparison)
    return comparison


def check(comparison: Comparison) -> None:
    """All must have found the same optimum."""
    ours = comparison.ours.first
    comparison.require(ours["converged"], "ours did not converge")
    check_same_bits(comparison, "sha256")
    for peer in comparison.peers:
        found = peer.first["dual_objective"]
        what = f"dual objectives of ours and {peer.name}"
        check_close(comparison, what, ours["dual_objective"], found, TOLERANCE)


def run_linear(workshop: Workshop) -> list[Section]:
    """LinearSvc beside LIBLINEAR: the squared hinge, C = 1, tol = 1e-4."""
    data = QUICK_SETS[0] if workshop.quick else LINEAR_SET
    files = make(data)
    fits = 1 if workshop.quick else 3
    flags: Command = ["--data", files["f64"], "--targets", files["targets"], "--tol", "1e-4"]
    flags += ["--threads", str(workshop.threads), "--fits", str(fits)]
    ours = Side("drystone", [workshop.programs.linear_svc, "--json", *flags])
    peer = Side("LIBLINEAR", [PYTHON, SCRIPT, "--peer", "liblinear", *flags])
    comparison = Comparison({"data": data.name}, ours, [peer])
    workshop.measure(comparison, 1)
    comparison.require(ours.first["converged"], "ours did not converge")
    check_same_bits(comparison, "sha256")
    found = (ours.first["primal_objective"], peer.first["primal_objective"])
    check_close(comparison, "primal objectives", *found, TOLERANCE)
    comparison.extra["passes"] = ours.first["passes"]
    note = "Seconds of a whole fit: squared hinge, C = 1, tol = 1e-4, f64; the primal objectives "
    note += f"agree within {TOLERANCE:g}. LIBLINEAR has one thread."
    header, rows = report.peer_table([comparison], more=["passes"])
    return [Section("LinearSvc, fit", note, header, rows, [comparison])]


def predictions(comparison: Comparison) -> Comparison:
    """The same runs, of which the predictions were timed too."""

    def side(of: Side) -> Side:
        runs = [run | {"seconds": run["predict_seconds"]} for run in of.runs]
        return replace(of, runs=runs)

    return Comparison(
        comparison.labels, side(comparison.ours), [side(peer) for peer in comparison.peers]
    )


def run(workshop: Workshop) -> list[Section]:
    """Fits, then predictions."""
    fits = [compare(workshop, data) for data in (QUICK_SETS if workshop.quick else SETS)]
    for line in fits:
        ours = line.ours.first
        line.extra["support vectors"] = ours["n_support"]
        line.extra["duality gap"] = f"{gap(ours):.0e}"
    calls = [predictions(line) for line in fits]
    note = "Seconds of a whole fit, C = 1, gamma = scale, tol = 1e-3; the dual objectives agree "
    note += f"within {TOLERANCE:g}. oneDAL f32 is given records in single precision, all others "
    note += "in double."
    more = ["support vectors", "duality gap"]
    return [
        Section("SVC, fit", note, *report.peer_table(fits, more=more), fits),
        Section(
            "SVC, predict",
            "Seconds of the predictions of the first 20,000 rows (of all, if there are fewer).",
            *report.peer_table(calls),
            calls,
        ),
    ]


def gap(ours: dict[str, float]) -> float:
    """Of all problems together, relative."""
    primal, dual = ours["primal_objective"], ours["dual_objective"]
    return (primal - dual) / max(1.0, abs(primal))
