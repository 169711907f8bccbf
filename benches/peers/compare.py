"""drystone beside its peers, one command: tables in Markdown, a chart, every run as JSON.

    python3 benches/peers/compare.py
    python3 benches/peers/compare.py kmeans --n 50000 --d 64 --k 32 --dtype f32
    python3 benches/peers/compare.py --quick

Builds drystone, makes a virtual environment of the peers and the data if absent, and runs
the sides of each comparison in turn: a fresh process each time, one warm-up and then timed
calls in it. Results are compared before any time is printed. Needs nothing but Python
3.11, a Rust toolchain and, the first time, the package registries. Run it when nothing
else runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alone
import chart
import environment
import generators
import kmeans
import lazily
import report
from processes import Failure
from report import Section
from workload import Workshop

# In the order in which they run: the limits are used by what follows.
WORKLOADS: dict[str, Callable[[Workshop], list[Section]]] = {
    "limits": alone.limits,
    "kmeans": kmeans.run,
    "scaling": alone.scaling,
    "generators": generators.run,
    "lazily": lazily.run,
    "linear": alone.linear,
    "job": alone.job,
}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        epilog=f"workloads: {', '.join(WORKLOADS)}",
    )
    add = parser.add_argument
    add("workloads", nargs="*", metavar="WORKLOAD", help="what to run; all if none is named")
    add("--quick", action="store_true", help="tiny and once, to compare results: for CI")
    add("--threads", type=int, default=2, help="of both sides")
    add("--reps", type=int, default=3, help="processes of each side")
    add("--fits", type=int, default=3, help="timed fits of ten iterations in each process")
    add("--without", action="append", default=[], choices=environment.PEER_NAMES)
    add("--json", type=Path, metavar="FILE", help="write every run here")
    add("--svg", type=Path, metavar="FILE", help="write a bar chart here")
    shape = parser.add_argument_group("kmeans: one shape in place of three")
    shape.add_argument("--n", type=int, help="rows")
    shape.add_argument("--d", type=int, help="columns")
    shape.add_argument("--k", type=int, help="clusters")
    shape.add_argument("--std", type=float, help="spread of the blobs")
    shape.add_argument("--centers", type=int, help="number of the blobs; k if not given")
    shape.add_argument("--dtype", choices=sorted(kmeans.TOLERANCES), help="both if not given")
    shape.add_argument("--recipe", choices=["blobs", "noise"], default="blobs")
    shape.add_argument("--input", type=Path, metavar="FILE.npy", help="these rows; needs --k")
    other = parser.add_argument_group("other workloads")
    other.add_argument("--rows", type=int, help="lazily: rows in all")
    other.add_argument("--dask-reps", type=int, default=1, help="lazily: as --reps")
    other.add_argument("--job-reps", type=int, default=1, help="job: as --reps")
    args = parser.parse_args()
    check(parser, args)
    return args


def check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """What argparse cannot see."""
    unknown = [name for name in args.workloads if name not in WORKLOADS]
    if unknown:
        parser.error(f"unknown workload {unknown[0]}: one of {', '.join(WORKLOADS)}")
    if args.input and (args.k is None or args.n or args.d):
        parser.error("--input needs --k, and has rows and columns of its own")
    counts = ("threads", "reps", "fits", "dask_reps", "job_reps", "n", "d", "k", "centers", "rows")
    for name in counts:
        value = getattr(args, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")


def measure(args: argparse.Namespace) -> tuple[dict[str, Any], list[Section]]:
    """Everything that is asked for, and where it was measured."""
    environment.make_venv(args.without)
    programs = environment.build(args.quick)
    machine = environment.machine() | {"threads": args.threads}
    machine["load_before"] = environment.load()
    workshop = Workshop(args, programs)
    chosen = [name for name in WORKLOADS if not args.workloads or name in args.workloads]
    sections = [section for name in chosen for section in WORKLOADS[name](workshop)]
    machine["load_after"] = environment.load()
    return machine, sections


def runs(sections: list[Section]) -> list[dict[str, Any]]:
    """All runs of all sides."""
    lines = [line for section in sections for line in section.comparisons]
    return [run for line in lines for side in line.sides for run in side.runs]


def versions(sections: list[Section]) -> dict[str, str]:
    """The libraries that took part."""
    return {run["library"]: run["version"] for run in runs(sections)}


def isa(sections: list[Section]) -> str:
    """The instruction set that ours chose."""
    return next((run["isa"] for run in runs(sections) if "isa" in run), "an unknown set")


def write(args: argparse.Namespace, machine: dict[str, Any], sections: list[Section]) -> None:
    """The files that are asked for."""
    if args.json:
        measured = [section.to_json() for section in sections]
        content = {"machine": machine, "versions": versions(sections), "sections": measured}
        args.json.write_text(json.dumps(content, indent=1) + "\n")
    if args.svg:
        args.svg.write_text(chart.draw(sections, machine["cpu"], machine["threads"]))


def main() -> None:
    args = arguments()
    try:
        machine, sections = measure(args)
    except Failure as failure:
        sys.exit(f"error: {failure}")
    machine["isa"] = isa(sections)
    print(report.head(machine, versions(sections), args.quick), end="\n\n")
    print("\n".join(section.to_markdown() for section in sections))
    write(args, machine, sections)


if __name__ == "__main__":
    main()
