"""What only ours is asked for: limits of the machine, the 100-million-row job, scaling.

No peer runs here: dask-ml would take hours, and the others cannot read such data.
"""

from __future__ import annotations

import statistics
from typing import Any

import problems
import report
from environment import say
from processes import Failure, run_json
from report import Section
from workload import Workshop

LINEAR_ROWS, QUICK_LINEAR_ROWS = [1_000_000, 10_000_000, 100_000_000], [8000, 80_000]
FEATURES, CLUSTERS = 20, 50
# Blocks of the job, and rows of each, there and in `linear`.
BLOCKS, QUICK_BLOCKS = 500, 3
BLOCK_ROWS, QUICK_BLOCK_ROWS = 200_000, 4000


def block_rows(workshop: Workshop) -> int:
    """Rows of a block."""
    return QUICK_BLOCK_ROWS if workshop.quick else BLOCK_ROWS


def limits(workshop: Workshop) -> list[Section]:
    """Multiply-adds and bytes read a second, at most."""
    say("limits of this machine")
    flags = ["--mib", "64", "--millis", "5"] if workshop.quick else []
    flags += ["--json", "--threads", str(workshop.threads)]
    workshop.limits = run_json("limits", [workshop.programs.limits, *flags])
    rows = [limit_row(on) for on in workshop.limits["on"]]
    header = ["threads", "f32, GFMA/s", "f64, GFMA/s", "read, GB/s"]
    note = f"Fused multiply-adds from registers ({workshop.limits['vectors']}), and reads of "
    note += "an array much larger than the caches: the best of a few trials."
    return [Section("Limits of this machine", note, header, rows, data=workshop.limits)]


def limit_row(on: dict[str, Any]) -> list[str]:
    """Limits on some threads."""
    fma = on["fma_per_second"]
    rates = [fma["f32"], fma["f64"], on["read_bytes_per_second"]]
    return [str(on["threads"]), *(f"{rate / 1e9:.1f}" for rate in rates)]


def job(workshop: Workshop) -> list[Section]:
    """The deck's 100 million rows, 16 GB, in a fraction of that memory."""
    blocks = QUICK_BLOCKS if workshop.quick else BLOCKS
    size = ["--blocks", str(blocks), "--block-rows", str(block_rows(workshop))]
    size += ["--memory-budget", "0"]
    say(f"job: {blocks} blocks of {block_rows(workshop):,} rows")
    flags = [*size, "--threads", str(workshop.threads), "--json"]
    runs = [
        run_json("kmeans", [workshop.programs.kmeans, *flags])
        for _ in range(workshop.reps(workshop.args.job_reps))
    ]
    first = runs[0]
    row = [f"{report.count(first['n_samples'])} x {first['n_features']}, k={first['n_clusters']}"]
    for part in ("total", "init", "lloyd"):
        row.append(report.seconds(statistics.median(run["seconds"][part] for run in runs)))
    peak = max(run["peak_rss_bytes"] or 0 for run in runs)
    row += [str(first["n_iter"]), str(first["passes"]), f"{peak / 1e9:.2f} GB"]
    header = ["data", "seconds", "seeding", "iterating", "iterations", "passes", "peak memory"]
    note = f"`--example kmeans -- {' '.join(size)}`: generated anew in each pass."
    return [Section("The whole job, ours alone", note, header, [row], data=runs)]


def scaling(workshop: Workshop) -> list[Section]:
    """Ten iterations on one thread and on several, in turn."""
    problem = problems.make(workshop, problems.shapes(workshop.args)[0])[0]
    several = max(2, workshop.threads)
    runs: dict[int, list[dict[str, Any]]] = {1: [], several: []}
    fits = ["--fits", "1" if workshop.quick else str(workshop.args.fits)]
    for turn in range(workshop.reps()):
        say(f"scaling: turn {turn + 1} of {workshop.reps()}")
        for threads, done in runs.items():
            flags = [*problem.files, *fits, "--threads", str(threads)]
            done.append(run_json("lloyd", [workshop.programs.lloyd, "--json", *flags]))
    if len({run["inertia"] for done in runs.values() for run in done}) != 1:
        raise Failure("scaling: the inertia depends on the number of threads")
    one, more = (
        statistics.median(second for run in done for second in run["seconds"])
        for done in runs.values()
    )
    cells = [report.seconds(one), report.seconds(more), f"{one / more:.2f}"]
    header = ["data", "type", "1 thread", f"{several} threads", "ratio"]
    note = "Seconds of a whole fit of ten iterations; the inertia has the same bits."
    row = [problem.name, problem.dtype, *cells]
    return [Section("Scaling over threads", note, header, [row], data=runs)]


def linear(workshop: Workshop) -> list[Section]:
    """Seconds a row as data grow, all in as many passes."""
    sizes = QUICK_LINEAR_ROWS if workshop.quick else LINEAR_ROWS
    runs = []
    for size in sizes:
        say(f"linear: {report.count(size)} rows")
        # Blobs that overlap, so that two iterations are two iterations at every size.
        flags = ["--rows", str(size), "--cluster-std", "5", "--tol", "0", "--max-iter", "2"]
        block = ["--block-rows", str(block_rows(workshop)), "--features", str(FEATURES)]
        block += ["--clusters", str(CLUSTERS)]
        flags += ["--threads", str(workshop.threads), *block]
        runs.append(run_json("lazy", [workshop.programs.lazy, *flags]))
    if len({run["passes"] for run in runs}) != 1:
        raise Failure(f"linear: not as many passes: {[run['passes'] for run in runs]}")
    each = [1e9 * run["seconds"][0] / run["rows"] for run in runs]
    rows = [
        [report.count(run["rows"]), str(run["passes"]), report.seconds(run["seconds"][0])]
        + [f"{nanoseconds:.0f}", f"{nanoseconds / each[0]:.2f}"]
        for run, nanoseconds in zip(runs, each, strict=True)
    ]
    header = ["rows", "passes", "seconds", "ns a row", "of the first"]
    shape = f"{block_rows(workshop):,} x {FEATURES}"
    note = f"A fit over generated blocks of {shape} (k={CLUSTERS}, nothing kept), as data grow."
    return [Section("Linear in the rows", note, header, rows, data=runs)]
