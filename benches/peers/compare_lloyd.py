"""Ten iterations of Lloyd, drystone beside scikit-learn, on the same bytes: one table.

    python3 benches/peers/compare_lloyd.py

Builds drystone, makes a virtual environment from requirements.txt if there is none,
makes the data and the initial centroids if absent, and runs the two in turn (ours, peer,
ours, peer, ...), a fresh process each, with a warm-up and five timed fits in each. A
figure is the least of the processes' medians: on a machine that others use too, the
least disturbed one. Both must end with the same inertia. Needs nothing but Python 3.11.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "target" / "peers"
VENV = PEERS / "venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "benches" / "peers" / "requirements.txt"
LLOYD = ROOT / "benches" / "peers" / "lloyd.py"

# How far the inertias may differ: summation order only, in the type of the data.
TOLERANCES = {"f64": 1e-6, "f32": 1e-4}
FIELDS = {
    "fit, s": "median",
    "per iteration, s": "seconds_per_iteration",
    "one more iteration, s": "marginal_seconds_per_iteration",
}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=1_000_000, help="rows")
    parser.add_argument("--d", type=int, default=20, help="columns")
    parser.add_argument("--k", type=int, default=50, help="clusters")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="processes of each side")
    parser.add_argument("--dtypes", nargs="+", choices=sorted(TOLERANCES), default=["f64", "f32"])
    parser.add_argument("--json", action="store_true", help="print every run as JSON")
    return parser.parse_args()


def output(command: list[str | Path]) -> str:
    """What a command that must succeed prints; its errors are shown."""
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_venv() -> None:
    """The peers' environment, if there is none."""
    if PYTHON.exists():
        return
    venv.create(VENV, with_pip=True)
    output([PYTHON, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS])


def build() -> Path:
    """Our program, built for release."""
    command = ["cargo", "build", "--release", "-p", "drystone-benches", "--bin", "lloyd"]
    messages = output([*command, "--message-format=json-render-diagnostics"])
    built = (json.loads(line) for line in messages.splitlines())
    return next(Path(m["executable"]) for m in built if m.get("executable"))


def compare(args: argparse.Namespace, ours: Path, dtype: str) -> dict[str, list[dict[str, Any]]]:
    """The runs of both sides, which took turns."""
    stem = PEERS / f"blobs-{args.n}x{args.d}-k{args.k}-{dtype}"
    files = ["--data", f"{stem}.npy", "--init", f"{stem}-init.npy"]
    threads = ["--threads", str(args.threads)]
    shape = ["--n", str(args.n), "--d", str(args.d), "--k", str(args.k), "--dtype", dtype]
    peer = [PYTHON, LLOYD, *shape, *files, *threads]
    output([*peer, "--make-only"])
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "peer": []}
    for _ in range(args.rounds):
        runs["ours"].append(json.loads(output([ours, "--json", *files, *threads])))
        runs["peer"].append(json.loads(output(peer)))
    check_inertias(runs, TOLERANCES[dtype])
    return runs


def check_inertias(runs: dict[str, list[dict[str, Any]]], tolerance: float) -> None:
    """Both must have done the same work."""
    ours, peer = (runs[side][0]["inertia"] for side in ("ours", "peer"))
    if not abs(ours / peer - 1) <= tolerance:
        sys.exit(f"inertias differ by more than {tolerance}: ours {ours!r}, peer's {peer!r}")
    if any(run["inertia"] != ours for run in runs["ours"]):
        sys.exit("our inertia is not the same in every run")


def rows(dtype: str, runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A line of the table for each figure, of the best process of each side."""
    ours, peer = (min(runs[side], key=lambda run: run["median"]) for side in ("ours", "peer"))
    lines = []
    for name, field in FIELDS.items():
        ratio = peer[field] / ours[field]
        lines.append(f"| {dtype} | {name} | {ours[field]:.4f} | {peer[field]:.4f} | {ratio:.2f} |")
    return lines


def main() -> None:
    args = arguments()
    make_venv()
    ours = build()
    before = os.getloadavg()[0]
    runs = {dtype: compare(args, ours, dtype) for dtype in args.dtypes}
    if args.json:
        print(json.dumps(runs))
        return
    peer = next(iter(runs.values()))["peer"][0]
    print(f"{args.n:,} x {args.d}, k={args.k}, {args.threads} threads, 10 iterations; ", end="")
    print(f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after.\n")
    print(f"| type | figure | drystone | {peer['peer']} {peer['version']} | times as fast |")
    print("|---|---|---|---|---|")
    for dtype in args.dtypes:
        print("\n".join(rows(dtype, runs[dtype])))


if __name__ == "__main__":
    main()
