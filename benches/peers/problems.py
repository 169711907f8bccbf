"""What `kmeans` and `scaling` cluster: shapes that are made, or rows of the user's; in files."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import npy
import report
from environment import PEERS, PYTHON, SCRIPTS, say
from processes import Command, Failure, run_json
from workload import Workshop

# The options that choose what is clustered, and with those that say how often.
SHAPE_OPTIONS = ("n", "d", "k", "std", "centers", "dtype", "recipe", "input")
OPTIONS = (*SHAPE_OPTIONS, "reps", "fits")


@dataclass(frozen=True)
class Shape:
    """A clustering problem: rows, columns, clusters; spread and number of the blobs."""

    n: int
    d: int
    k: int
    std: float
    centers: int

    def __str__(self) -> str:
        return f"{report.count(self.n)} x {self.d}, k={self.k}"


# Blobs of which no fit settles before the twelfth iteration, and that converge in 33 to 69,
# f32 in as many as f64 but for one or two. With 784 columns as many blobs as clusters either
# settle too soon or stay on a plateau that f32's rounding decides when to leave.
SHAPES = [
    Shape(1_000_000, 20, 50, std=1.0, centers=50),
    Shape(200_000, 128, 100, std=8.0, centers=100),
    Shape(100_000, 784, 10, std=20.0, centers=50),
]
QUICK_SHAPES = [Shape(6000, 20, 30, std=8.0, centers=30)]


@dataclass(frozen=True)
class Source:
    """Where rows come from: a recipe or a file of the user's."""

    name: str
    stem: Path
    flags: Command
    record: dict[str, str]


@dataclass(frozen=True)
class Problem:
    """A shape in one element type, in files."""

    shape: Shape
    dtype: str
    data: Path
    init: Path
    name: str
    source: dict[str, str]

    @property
    def files(self) -> Command:
        """What every program is given."""
        return ["--data", self.data, "--init", self.init]

    def to_json(self) -> dict[str, Any]:
        """What was clustered."""
        files = {"data": str(self.data), "init": str(self.init)}
        return {"name": self.name, "type": self.dtype, **files, **self.source}


def check_options(args: argparse.Namespace) -> None:
    """One source of rows, and no more clusters or blobs than rows."""
    if args.input:
        check_input(args)
    elif args.recipe == "noise" and (args.std or args.centers):
        raise Failure("--recipe noise has no blobs: no --std and no --centers")
    for shape in shapes(args):
        for what, count in (("clusters (--k)", shape.k), ("blobs (--centers)", shape.centers)):
            if count > shape.n:
                raise Failure(f"{count} {what} of {shape.n} rows: at most one to a row")


def check_input(args: argparse.Namespace) -> None:
    """A file that both sides can read, and nothing that it says itself."""
    own = ("n", "d", "std", "centers", "recipe")
    also = [f"--{name}" for name in own if getattr(args, name) is not None]
    if also:
        raise Failure(f"--input has rows of its own: no {' and no '.join(also)}")
    if args.k is None:
        raise Failure("--input needs --k")
    dtype = header(args.input).dtype
    if args.dtype not in (None, dtype):
        raise Failure(f"--input {args.input} is {dtype}, and --dtype {args.dtype}")


def header(path: Path) -> npy.Header:
    """What a file of the user's says of itself."""
    try:
        return npy.header(path)
    except OSError as error:
        raise Failure(f"--input {path}: {error.strerror}") from error
    except ValueError as error:
        raise Failure(f"--input {path}: {error}") from error


def shapes(args: argparse.Namespace) -> list[Shape]:
    """The three shapes, or the one that the options ask for."""
    every = QUICK_SHAPES if args.quick else SHAPES
    default = every[0]
    if args.input:
        found = header(args.input)
        return [Shape(found.n, found.d, args.k, default.std, args.k)]
    if all(getattr(args, name) is None for name in ("n", "d", "k", "std", "centers")):
        return every
    n, d, k = args.n or default.n, args.d or default.d, args.k or default.k
    return [Shape(n, d, k, args.std or default.std, args.centers or k)]


def make_all(workshop: Workshop) -> list[Problem]:
    """All files, made if absent."""
    return [problem for shape in shapes(workshop.args) for problem in make(workshop, shape)]


def make(workshop: Workshop, shape: Shape) -> list[Problem]:
    """A shape in the element types that are asked for."""
    args = workshop.args
    source = of_file(args.input, shape) if args.input else of_recipe(args.recipe, shape)
    say(f"data: {source.name}")
    size: Command = ["--k", str(shape.k), "--stem", source.stem]
    made = run_json("data", [PYTHON, SCRIPTS / "make_data.py", *source.flags, *size])
    return [
        Problem(shape, dtype, Path(files["data"]), Path(files["init"]), source.name, source.record)
        for dtype, files in made["files"].items()
        if args.dtype in (None, dtype)
    ]


def of_recipe(recipe: str | None, shape: Shape) -> Source:
    """Rows that make_data.py draws; files with these names are as they would be made again."""
    recipe = recipe or "blobs"
    stem = PEERS / f"{recipe}-{shape.n}x{shape.d}-c{shape.centers}-s{shape.std!r}"
    flags = ["--recipe", recipe, "--n", str(shape.n), "--d", str(shape.d)]
    flags += ["--centers", str(shape.centers), "--std", repr(shape.std)]
    name = f"{shape}" if recipe == "blobs" else f"{recipe} {shape}"
    return Source(name, stem, flags, {"recipe": recipe})


def of_file(path: Path, shape: Shape) -> Source:
    """Rows of the user's, known by what is in the file."""
    path = path.resolve()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    stem = PEERS / f"input-{path.stem[:40]}-{shape.n}x{shape.d}-{digest[:12]}"
    record = {"input": str(path), "sha256": digest}
    return Source(f"{path.name} {shape}", stem, ["--input", path], record)
