"""The job of the Dask tutorial: blobs that are generated anew in every pass, nothing kept.

Both sides seed by k-means|| and iterate on rows around the same centres, drawn by their
own generators; the inertia of both results is then computed on the same rows by the same
code, and ours must not be the worse.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import report
from environment import PEERS, PYTHON, SCRIPTS
from measure import Comparison, Side
from processes import Failure, run_json
from report import Section
from workload import Workshop

SCRIPT = SCRIPTS / "peer_dask.py"
OPTIONS = ("rows", "dask_reps")
ROWS, QUICK_ROWS = 4_000_000, 8000
BLOCKS, QUICK_BLOCKS = 20, 4
CENTERS, FEATURES = 50, 20
MAX_ITER, QUICK_MAX_ITER = 10, 2
# dask-ml's tolerance: of the squared shift of all centroids, whatever the data's spread.
TOL = 1e-4


@dataclass(frozen=True)
class Settings:
    """Clusters to find, and how k-means|| seeds: rows drawn a round, and rounds."""

    name: str
    clusters: int
    oversampling_rows: int
    rounds: int
    # How much worse than dask-ml's our inertia may be. Fewer clusters than centres have
    # many local minima, and either side may find the better one.
    tolerance: float


ALL_SETTINGS = [
    Settings("best: k=50, l=100, 5 rounds", 50, 100, 5, 0.01),
    Settings("the deck's: k=8, l=10, 3 rounds", 8, 10, 3, 0.1),
]


@dataclass(frozen=True)
class Data:
    """Blobs around centres that are in a file."""

    rows: int
    blocks: int
    centers: Path
    variance: float

    @property
    def flags(self) -> list[str | Path]:
        """What every program is given."""
        size = ["--rows", str(self.rows), "--block-rows", str(-(-self.rows // self.blocks))]
        return [*size, "--features", str(FEATURES), "--centers", self.centers]


def check_options(args: argparse.Namespace) -> None:
    """A block has a row for each cluster: dask-ml warms up on the first."""
    fewest = CENTERS * (QUICK_BLOCKS if args.quick else BLOCKS)
    if args.rows is not None and args.rows < fewest:
        raise Failure(f"--rows must be at least {fewest}, not {args.rows}")


def make_data(workshop: Workshop) -> Data:
    """The centres of the blobs, in a file."""
    path = PEERS / "lazily-centers.npy"
    shape = ["--clusters", str(CENTERS), "--features", str(FEATURES)]
    made = run_json("centers", [PYTHON, SCRIPT, "centers", *shape, "--out", path])
    rows = workshop.args.rows or (QUICK_ROWS if workshop.quick else ROWS)
    blocks = QUICK_BLOCKS if workshop.quick else BLOCKS
    return Data(rows, blocks, path, made["variance"])


def compare(workshop: Workshop, settings: Settings, data: Data) -> Comparison:
    """One way of seeding."""
    out = {side: PEERS / f"lazily-{side}.npy" for side in ("ours", "dask-ml")}
    max_iter = QUICK_MAX_ITER if workshop.quick else MAX_ITER
    how = ["--oversampling-rows", str(settings.oversampling_rows)]
    how += ["--rounds", str(settings.rounds), "--max-iter", str(max_iter)]
    flags = [*data.flags, *how, "--clusters", str(settings.clusters)]
    flags += ["--threads", str(workshop.threads)]
    # Ours is relative to the variance of the columns.
    tol = ["--tol", str(TOL / data.variance)]
    ours = Side("drystone", [workshop.programs.lazy, *flags, *tol, "--out", out["ours"]])
    # The libraries below dask have a thread each: its workers already keep the cores busy.
    fit = [PYTHON, SCRIPT, "fit", *flags, "--tol", str(TOL), "--out", out["dask-ml"]]
    shape = f"{report.count(data.rows)} x {FEATURES}"
    labels = {"data": shape, "settings": settings.name}
    comparison = Comparison(labels, ours, [Side("dask-ml", fit, 1)])
    workshop.measure(comparison, workshop.args.dask_reps)
    judge = [PYTHON, SCRIPT, "judge", *data.flags, "--centroids", *out.values()]
    inertias = run_json("judge", judge, workshop.threads)["inertia"]
    check(comparison, settings, data.rows, inertias)
    return comparison


def check(comparison: Comparison, settings: Settings, rows: int, inertias: list[float]) -> None:
    """Ours must be as good; by how much is in the table."""
    ours, peer = inertias
    good = ours <= peer * (1 + settings.tolerance)
    comparison.require(good, f"ours is worse: inertia {ours:.6e}, dask-ml's {peer:.6e}")
    comparison.extra["iterations"] = " / ".join(
        str(side.first["n_iter"]) for side in comparison.sides
    )
    comparison.extra["inertia a row"] = f"{ours / rows:.3f} / {peer / rows:.3f}"


def run(workshop: Workshop) -> list[Section]:
    """All settings; to be quick, the first."""
    data = make_data(workshop)
    settings = ALL_SETTINGS[:1] if workshop.quick else ALL_SETTINGS
    lines = [compare(workshop, each, data) for each in settings]
    header, rows = report.peer_table(lines, more=list(lines[0].extra))
    most = QUICK_MAX_ITER if workshop.quick else MAX_ITER
    note = (
        f"Seconds of a whole fit, seeding and at most {most} iterations (ours / dask-ml's), "
        f"over {data.blocks} blocks that are generated in each pass. Inertia a row is "
        f"computed for both on the same rows; around the {CENTERS} centres it is {FEATURES}."
    )
    return [Section("The deck's job, lazily", note, header, rows, lines)]
