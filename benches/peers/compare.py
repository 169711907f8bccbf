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
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import alone
import chart
import environment
import generators
import kmeans
import lazily
import options
import problems
import report
import svc
from processes import CHILDREN, Failure, Stopped, stop_on_signals
from report import Section
from workload import Workload, Workshop

# In the order in which they run: the limits are used by what follows.
WORKLOADS = {
    "limits": Workload(alone.limits),
    "kmeans": Workload(kmeans.run, problems.OPTIONS, compares=True, check=problems.check_options),
    "scaling": Workload(alone.scaling, problems.OPTIONS, check=problems.check_options),
    "generators": Workload(generators.run, ("reps",), compares=True),
    "lazily": Workload(
        lazily.run, lazily.OPTIONS, compares=True, needs="dask-ml", check=lazily.check_options
    ),
    "linear": Workload(alone.linear),
    "svc": Workload(svc.run, svc.OPTIONS, compares=True),
    "linear_svc": Workload(svc.run_linear, compares=True),
    "job": Workload(alone.job, ("job_reps",)),
}


def measure(args: argparse.Namespace) -> tuple[dict[str, Any], list[Section]]:
    """Everything that is asked for, and where it was measured."""
    environment.make_venv(args.without)
    programs = environment.build(args.quick)
    machine = environment.machine() | {"threads": args.threads}
    machine["load_before"] = environment.load()
    workshop = Workshop(args, programs)
    sections = [section for name in args.workloads for section in WORKLOADS[name].run(workshop)]
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
    """The instruction set that ours chose, if a run beside peers says it."""
    return next((run["isa"] for run in runs(sections) if "isa" in run), "")


def write(args: argparse.Namespace, machine: dict[str, Any], sections: list[Section]) -> None:
    """The files that are asked for."""
    if args.json:
        measured = [section.to_json() for section in sections]
        content = {
            "command": shlex.join(sys.argv),
            "machine": machine,
            "versions": versions(sections),
            "sections": measured,
        }
        write_text(args.json, json.dumps(content, indent=1) + "\n")
    if args.svg:
        write_text(args.svg, chart.draw(sections, machine["cpu"], machine["threads"]))


def write_text(path: Path, text: str) -> None:
    """One file."""
    try:
        path.write_text(text)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from error


def show(args: argparse.Namespace, machine: dict[str, Any], sections: list[Section]) -> None:
    """Prints the report. A reader that has seen enough, as `head`, is no error."""
    head = report.head(machine, versions(sections), args.quick, args.without)
    tables = "\n".join(section.to_markdown() for section in sections)
    try:
        print(head, tables, sep="\n\n", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(args: argparse.Namespace) -> None:
    """Measures, writes, and prints in any case."""
    machine, sections = measure(args)
    machine["isa"] = isa(sections)
    try:
        write(args, machine, sections)
    finally:
        show(args, machine, sections)


def main() -> None:
    args = options.parse(__doc__ or "", WORKLOADS)
    CHILDREN.time_limit = args.timeout
    stop_on_signals()
    try:
        run(args)
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except Stopped as stopped:
        CHILDREN.end_all()
        print("stopped: nothing is reported", file=sys.stderr)
        sys.exit(128 + stopped.number)


if __name__ == "__main__":
    main()
