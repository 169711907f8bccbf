"""What the comparison runs in: the peers' virtual environment, our programs, this machine.

The environment is made again when requirements.txt changes. Its lines stand in sections
that begin with `# peer: NAME`, so that a peer which cannot be installed can be left out.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes import ROOT, Command, Failure, run

PEERS = ROOT / "target" / "peers"
VENV = PEERS / "venv"
PYTHON, PIP = VENV / "bin" / "python", VENV / "bin" / "pip"
SCRIPTS = ROOT / "benches" / "peers"
REQUIREMENTS = SCRIPTS / "requirements.txt"

# The names that --without takes: the sections of requirements.txt that may be left out.
PEER_NAMES = ("scikit-learn-intelex", "faiss", "dask-ml")
SECTION = "# peer: "


# When this began.
STARTED = time.monotonic()


def say(text: str) -> None:
    """Progress, kept apart from the report."""
    print(f"{time.monotonic() - STARTED:5.0f} s  {text}", file=sys.stderr, flush=True)


def requirements(without: list[str]) -> str:
    """The pins of all peers but these."""
    kept, section = [], ""
    for line in REQUIREMENTS.read_text().splitlines():
        if line.startswith(SECTION):
            section = line.removeprefix(SECTION)
        elif line and not line.startswith("#") and section not in without:
            kept.append(line)
    return "\n".join(kept) + "\n"


def make_venv(without: list[str]) -> None:
    """The peers' environment, with exactly the pinned versions."""
    wanted = requirements(without)
    installed = VENV / "installed.txt"
    if PYTHON.exists() and installed.exists() and holds(installed.read_text(), wanted):
        return
    say(f"installing the peers: {VENV.relative_to(ROOT)}; a few minutes, this once")
    if not PIP.exists():
        make_empty_venv()
    pins = VENV / "wanted.txt"
    pins.write_text(wanted)
    try:
        run("pip", [PYTHON, "-m", "pip", "install", "--quiet", "--requirement", pins])
    except Failure as failure:
        raise Failure(
            f"the peers cannot be installed: {failure}\n"
            f"--without NAME leaves one out: {', '.join(PEER_NAMES)}"
        ) from failure
    pins.replace(installed)


def enter(peer: str) -> None:
    """Goes on in the environment, made for one peer if absent, if this program is outside it."""
    if Path(sys.prefix).resolve() != VENV.resolve():
        make_venv([name for name in PEER_NAMES if name != peer])
        os.execv(PYTHON, [PYTHON, *sys.argv])


def make_empty_venv() -> None:
    """With nothing but pip, which comes last."""
    try:
        venv.create(VENV, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(
            f"the peers' environment cannot be made: {error}\n"
            "Debian and Ubuntu have Python's venv in a package of its own, python3-venv"
        ) from error


def holds(installed: str, wanted: str) -> bool:
    """Whether every pin is among those that were installed."""
    return set(wanted.splitlines()) <= set(installed.splitlines())


@dataclass(frozen=True)
class Programs:
    """Ours, built."""

    lloyd: Path
    generate: Path
    lazy: Path
    svc: Path
    linear_svc: Path
    limits: Path
    kmeans: Path


def build(quick: bool) -> Programs:
    """Ours in release; to be quick, in the profile that the tests have built already."""
    say("building drystone")
    profile = [] if quick else ["--release"]
    common = [*profile, "--locked", "--message-format=json-render-diagnostics"]
    benches = ["-p", "drystone-benches"]
    ours = [part for name in ("lloyd", "generate", "lazy", "svc", "linear_svc") for part in ("--bin", name)]
    built = executables(["cargo", "build", *common, *benches, *ours])
    built |= executables(["cargo", "build", *common, "--example", "kmeans"])
    flags = ["-C", "opt-level=3", *vector_flags()]
    built |= executables(["cargo", "rustc", *common, *benches, "--bin", "limits", "--", *flags])
    return Programs(**built)


def executables(command: Command) -> dict[str, Path]:
    """What a build made, by name."""
    messages = [json.loads(line) for line in run("cargo", command).splitlines()]
    return {m["target"]["name"]: Path(m["executable"]) for m in messages if m.get("executable")}


def vector_flags() -> list[str]:
    """The instructions that `limits` is compiled for: the widest that our kernels use."""
    x86 = platform.machine() in ("x86_64", "AMD64")
    return ["-C", "target-feature=+avx2,+fma"] if x86 else []


def machine() -> dict[str, Any]:
    """Where and of what the figures are."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "vectors": [name for name in ("avx2", "fma", "avx512f") if name in cpu_flags()],
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "rustc": run("rustc", ["rustc", "--version"]).strip(),
        "commit": commit(),
    }


def cpuinfo(field: str) -> str:
    """A line of the first processor; empty where the system does not say."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else []:
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return ""


def cpu_model() -> str:
    """Maker's name, with family and model: clouds hide the number behind the name."""
    name = cpuinfo("model name") or platform.processor() or "unknown"
    family, model = cpuinfo("cpu family"), cpuinfo("model")
    return f"{name} (family {family}, model {model})" if family else name


def cpu_flags() -> list[str]:
    """Instruction sets."""
    return cpuinfo("flags").split()


def commit() -> str:
    """The commit, and whether the files differ from it."""
    try:
        head = run("git", ["git", "rev-parse", "--short=12", "HEAD"]).strip()
        dirty = run("git", ["git", "status", "--porcelain"]).strip()
    except Failure:
        return "unknown"
    return f"{head}, dirty" if dirty else head


def load() -> float:
    """The mean number of running processes of the last minute."""
    return os.getloadavg()[0]
