"""Time dask-ml's KMeans on dask.distributed, the deck's job, also with a worker lost; JSON.

    python3 benches/peers/peer_distributed.py fit
    python3 benches/peers/peer_distributed.py fit --persist
    python3 benches/peers/peer_distributed.py kill --fraction 0.5
    python3 benches/peers/peer_distributed.py kill --fraction 0.5 --stop --patience 120

A scheduler and two workers of one thread each, real processes on loopback; the client is
this process. Prints one line of JSON; progress goes to the standard error. Any Python 3.11
will do: it goes on in the peers' environment, which it makes if absent.

`fit` generates the blocks anew in each pass, as the tutorial does; with `--persist` they
are in the workers' memory before the clock of the fit starts. `kill` fits twice, on a new
cluster each: undisturbed, and with the last worker killed (SIGKILL) or stopped (`--stop`,
SIGSTOP), which has no nanny and so does not come back. A disturbed fit may take twice as
long as the undisturbed one, since one worker of two is left, and `--patience` more; then
it has hung, which is printed as its outcome.

All settings are dask's defaults, unless its own files or variables (DASK_...) say other
ones; those in force at the scheduler are printed. How long it takes until a lost worker is
noticed depends on how it is lost:

- Of one that was killed the kernel closes the connections, and the scheduler sees that at
  once: no setting is involved. What it had in memory is computed again by others, and a
  task fails when `distributed.scheduler.allowed-failures` + 1 workers have died over it.
- Of one that was stopped, or is unreachable to all but the kernel, connections stay open,
  and `distributed.comm.timeouts.tcp` (30 s) does not help: it bounds the silence of the
  other *kernel*. What does is `distributed.scheduler.worker-ttl` (5 minutes) without a
  heartbeat. It is looked for once in that time only, counted from the start of the
  scheduler, so that it takes one to two times as long: up to 10 minutes.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import warnings
from dataclasses import fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import environment
from environment import say
from processes import CHILDREN, Failure, Stopped, stop_on_signals

if TYPE_CHECKING:  # they need the peers' environment, which may be yet to be made
    from distributed_fit import Disturbance, Fit, Job

WORKERS = 2
LIBRARIES = ("dask-ml", "dask", "distributed", "scikit-learn", "numpy", "numba")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    modes = parser.add_subparsers(dest="mode", required=True)
    fit = modes.add_parser("fit", help="undisturbed")
    kill = modes.add_parser("kill", help="undisturbed, and with a worker lost")
    for mode in (fit, kill):
        add_job(mode)
    when = kill.add_mutually_exclusive_group()
    when.add_argument("--after", type=float, metavar="SECONDS", help="of the fit")
    when.add_argument("--fraction", type=float, default=0.5, help="of the undisturbed fit (0.5)")
    kill.add_argument("--stop", action="store_true", help="SIGSTOP in place of SIGKILL")
    kill.add_argument("--patience", type=float, default=120, metavar="SECONDS")
    args = parser.parse_args()
    try:
        check(args)
    except Failure as failure:
        parser.error(str(failure))
    return args


def add_job(parser: argparse.ArgumentParser) -> None:
    """What is fitted, in both modes."""
    add = parser.add_argument
    add("--blocks", type=int, default=20)
    add("--block-rows", type=int, default=200_000)
    add("--features", type=int, default=20)
    add("--centers", type=int, default=50, help="blobs (50)")
    add("--clusters", type=int, default=8)
    add("--oversampling", type=float, default=10, help="rows that a round draws (10)")
    add("--init-max-iter", type=int, default=3, help="rounds of k-means|| (3)")
    add("--max-iter", type=int, default=10)
    add("--seed", type=int, default=0, help="of the fit; the data are always the same")
    add("--persist", action="store_true", help="keep the blocks in the workers' memory")
    add("--timeout", type=float, default=1800, metavar="SECONDS", help="of a fit (1800)")


def check(args: argparse.Namespace) -> None:
    """What would fail late, or with words of dask's."""
    for name in ("blocks", "block_rows", "features", "centers", "clusters", "max_iter"):
        require(getattr(args, name) >= 1, args, name, "at least 1")
    enough = args.block_rows >= args.clusters
    require(enough, args, "block_rows", f"at least {args.clusters}, as --clusters")
    require(args.init_max_iter >= 0, args, "init_max_iter", "at least 0")
    require(args.seed >= 0, args, "seed", "at least 0")
    for name in ("oversampling", "timeout"):
        require(getattr(args, name) > 0, args, name, "above 0")
    if args.mode == "kill":
        require(args.patience > 0, args, "patience", "above 0")
        require(args.after is None or args.after >= 0, args, "after", "at least 0")
        require(0 <= args.fraction < 1, args, "fraction", "at least 0 and below 1")


def require(holds: bool, args: argparse.Namespace, name: str, what: str) -> None:
    """A clear error if it does not; NaN holds nothing."""
    if not holds:
        flag = name.replace("_", "-")
        raise Failure(f"--{flag} must be {what}, not {getattr(args, name)}")


def fit(args: argparse.Namespace) -> dict[str, Any]:
    """One fit."""
    job = job_of(args)
    run = undisturbed(args, job)
    [inertia] = job.inertias([run.model.cluster_centers_])
    return described(job, run) | result(run, inertia)


def kill(args: argparse.Namespace) -> dict[str, Any]:
    """Two fits, and what losing a worker cost."""
    from distributed_fit import Disturbance

    job = job_of(args)
    calm = undisturbed(args, job)
    after = args.fraction * calm.seconds if args.after is None else args.after
    if not after < calm.seconds:
        raise Failure(f"--after {after:g}: the undisturbed fit took {calm.seconds:.1f} s only")
    number = signal.SIGSTOP if args.stop else signal.SIGKILL
    lost = disturbed(args, job, calm, Disturbance(number, after))
    candidates = [run.model.cluster_centers_ for run in (calm, lost) if run.fitted]
    inertias = [*job.inertias(candidates), None]
    same = candidates[0].tobytes() == candidates[-1].tobytes()
    return described(job, calm) | {
        "signal": number.name,
        "signal_after": lost.signalled,
        "noticed_after_signal": lost.noticed,
        "undisturbed": result(calm, inertias[0]),
        "disturbed": result(lost, inertias[1]) | {"outcome": lost.outcome},
        "cost_seconds": lost.seconds - calm.seconds if lost.fitted else None,
        "same_bits": same if lost.fitted else None,
    }


def job_of(args: argparse.Namespace) -> Job:
    """From the command line, which names all that it has."""
    from distributed_fit import Job

    return Job(**{field.name: getattr(args, field.name) for field in fields(Job)})


def undisturbed(args: argparse.Namespace, job: Job) -> Fit:
    """A fit that must succeed."""
    from distributed_fit import run

    say("fitting, undisturbed")
    fit = run(job, WORKERS, args.timeout)
    if not fit.fitted:
        raise Failure(f"the undisturbed fit, after {fit.seconds:.1f} s (--timeout): {fit.outcome}")
    return fit


def disturbed(args: argparse.Namespace, job: Job, calm: Fit, how: Disturbance) -> Fit:
    """A fit that must have been disturbed; nothing is asked of its end."""
    from distributed_fit import run

    bound = 2 * calm.seconds + args.patience
    say(f"fitting; {how.number.name} after {how.after:.1f} s; hung after {bound:.0f} s")
    fit = run(job, WORKERS, bound, how)
    if fit.signalled is None:
        raise Failure(f"the fit ended after {fit.seconds:.1f} s, before the signal: earlier?")
    return fit


def described(job: Job, run: Fit) -> dict[str, Any]:
    """What was run, by whom."""
    return {
        "library": "dask-ml on dask.distributed",
        "versions": {name: version(name) for name in LIBRARIES},
        "workers": WORKERS,
        "threads_per_worker": 1,
        "job": vars(job) | {"rows": job.rows},
        "settings": run.settings,
    }


def result(run: Fit, inertia: float | None) -> dict[str, Any]:
    """The figures of one fit."""
    return {
        "seconds": run.seconds,
        "persist_seconds": run.persist_seconds,
        "n_iter": int(run.model.n_iter_) if run.fitted else None,
        "inertia_per_row": inertia,
    }


def main() -> None:
    args = arguments()
    stop_on_signals()
    try:
        environment.enter("dask-ml")
        warnings.simplefilter("ignore")
        print(json.dumps({"fit": fit, "kill": kill}[args.mode](args)))
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except Exception as error:  # whatever it is, one line names it
        sys.exit(f"{type(error).__name__}: {error}")
    except Stopped as stopped:
        CHILDREN.end_all()
        print("stopped: nothing is reported", file=sys.stderr)
        sys.exit(128 + stopped.number)


if __name__ == "__main__":
    main()
