"""The command line, and what is wrong with it: found before anything is built or measured."""

from __future__ import annotations

import argparse
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import kmeans
import problems
from environment import PEER_NAMES
from processes import Failure
from workload import Workload

# Of the options that workloads name: values when they are not given.
DEFAULTS = {"reps": 3, "fits": 3, "dask_reps": 1, "job_reps": 1}


def parse(text: str, workloads: Mapping[str, Workload]) -> argparse.Namespace:
    """The options; `workloads` are those that run, in their order."""
    parser = parser_of(text, workloads)
    args = parser.parse_args()
    try:
        args.workloads = chosen(args, workloads)
        check_given(args, workloads)
        for name in args.workloads:
            workloads[name].check(args)
        check_results(args, workloads)
    except Failure as failure:
        parser.error(str(failure))
    for name, value in DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    return args


def parser_of(text: str, workloads: Mapping[str, Workload]) -> argparse.ArgumentParser:
    """All options."""
    parser = argparse.ArgumentParser(
        description=text.splitlines()[0],
        epilog=f"workloads: {', '.join(workloads)}",
    )
    add = parser.add_argument
    add("workloads", nargs="*", metavar="WORKLOAD", help="what to run; all if none is named")
    add("--quick", action="store_true", help="tiny and once, to compare results: for CI")
    add("--threads", type=positive, default=2, help="of both sides")
    add("--reps", type=positive, help="processes of each side (3)")
    add("--fits", type=positive, help="timed fits of ten iterations in each process (3)")
    add("--timeout", type=positive, default=1800, metavar="SECONDS", help="of a process (1800)")
    add("--without", action="append", default=[], choices=PEER_NAMES)
    add("--json", type=Path, metavar="FILE", help="write every run here")
    add("--svg", type=Path, metavar="FILE", help="write a bar chart here")
    about = "kmeans, scaling: one shape in place of three; kmeans, if no workload is named"
    shape = parser.add_argument_group(about)
    shape.add_argument("--n", type=positive, help="rows")
    shape.add_argument("--d", type=positive, help="columns")
    shape.add_argument("--k", type=positive, help="clusters")
    shape.add_argument("--std", type=spread, help="spread of the blobs")
    shape.add_argument("--centers", type=positive, help="number of the blobs; k if not given")
    shape.add_argument("--dtype", choices=sorted(kmeans.TOLERANCES), help="both if not given")
    shape.add_argument("--recipe", choices=["blobs", "noise"], help="blobs if not given")
    shape.add_argument("--input", type=Path, metavar="FILE.npy", help="these rows; needs --k")
    other = parser.add_argument_group("other workloads")
    other.add_argument("--rows", type=positive, help="lazily: rows in all")
    other.add_argument("--dask-reps", type=positive, help="lazily: as --reps (1)")
    other.add_argument("--job-reps", type=positive, help="job: as --reps (1)")
    return parser


def positive(text: str) -> int:
    """A number of things."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value


def spread(text: str) -> float:
    """A standard deviation."""
    value = float(text)
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be finite and above 0, not {value}")
    return value


def flag(name: str) -> str:
    """An option as it is typed."""
    return f"--{name.replace('_', '-')}"


def given(args: argparse.Namespace, names: tuple[str, ...]) -> list[str]:
    """Those of some options that are there."""
    return [name for name in names if getattr(args, name) is not None]


def chosen(args: argparse.Namespace, workloads: Mapping[str, Workload]) -> list[str]:
    """The workloads that are named, or all that can run; of a shape, kmeans."""
    named = list(args.workloads)
    unknown = [name for name in named if name not in workloads]
    if unknown:
        raise Failure(f"unknown workload {unknown[0]}: one of {', '.join(workloads)}")
    if not named and given(args, problems.SHAPE_OPTIONS):
        named = ["kmeans"]
    for name in named:
        if workloads[name].needs in args.without:
            raise Failure(f"{name} compares with {workloads[name].needs}: not --without it")
    return [
        name
        for name, workload in workloads.items()
        if (name in named or not named) and workload.needs not in args.without
    ]


def check_given(args: argparse.Namespace, workloads: Mapping[str, Workload]) -> None:
    """Each option must be read by a workload that runs."""
    options = dict.fromkeys(name for workload in workloads.values() for name in workload.options)
    for option in given(args, tuple(options)):
        readers = [name for name, workload in workloads.items() if option in workload.options]
        if not set(readers) & set(args.workloads):
            raise Failure(f"nothing that runs reads {flag(option)}: it is for {', '.join(readers)}")
    for option in given(args, tuple(DEFAULTS)) if args.quick else []:
        raise Failure(f"{flag(option)}: a quick run does everything once")


def check_results(args: argparse.Namespace, workloads: Mapping[str, Workload]) -> None:
    """Hours of measuring must not end in a file that cannot be written."""
    comparing = [name for name, workload in workloads.items() if workload.compares]
    if args.svg and not set(comparing) & set(args.workloads):
        raise Failure(f"--svg draws what runs beside peers: {', '.join(comparing)}")
    taken = [args.input.resolve()] if args.input else []
    for name in given(args, ("json", "svg")):
        path: Path = getattr(args, name)
        if path.resolve() in taken:
            raise Failure(f"{flag(name)} {path}: another option names this file")
        taken.append(path.resolve())
        try:
            try_to_write(path)
        except OSError as error:
            raise Failure(f"{flag(name)} {path}: {error.strerror}") from error


def try_to_write(path: Path) -> None:
    """Opens a file for writing, and leaves everything as it was."""
    there = os.path.lexists(path)
    if there and path.exists() and not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        return  # as /dev/stdout
    path.open("a").close()
    if not there:
        path.unlink()
