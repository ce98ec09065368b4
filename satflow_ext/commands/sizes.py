"""`satflow sizes`: list the worker sizes, how many fit on this machine, and the resources that a deployment's runs used."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence

from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.executors import worker_sizes
from satflow_ext.executors.machine_size import Machine, measure_machine
from satflow_ext.executors.worker_usage import UsageStore, suggest_size
from satflow_ext.models import WorkerSize
from satflow_ext.settings import GIB, Settings, load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments and flags."""
    parser.add_argument("deployment", nargs="?", help="also print what the last runs of this FLOW/DEPLOYMENT used here")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print one line for each size."""
    refuse_extra_arguments(rest, "sizes")
    settings, machine = load_settings(), measure_machine()
    found = worker_sizes.list_sizes(machine, settings)
    advice = _usage_advice(args.deployment, settings) if args.deployment else None
    if args.json:
        print(json.dumps({"sizes": [each.model_dump(mode="json") for each in found], "needed": advice}, indent=2))
    else:
        print("\n".join(_size_lines(found, machine)))
        if advice:
            print(f"\n{args.deployment}: {advice}.")
    return 0


def _size_lines(found: Sequence[WorkerSize], machine: Machine) -> Iterator[str]:
    has = f"{machine.cores} cores, {machine.memory / GIB:.1f} GiB, {machine.gpus or 'no'} GPUs"
    yield f"{'size':<12} {'cores':>5} {'GiB':>6} {'GPUs':>5}  on this machine ({has})"
    for each in found:
        count = _format_worker_count(each, machine)
        yield f"{each.name:<12} {each.cores:>5} {each.memory / GIB:>6g} {each.gpus or '':>5}  {count}"


def _format_worker_count(size: WorkerSize, machine: Machine) -> str:
    """Format how many such workers fit. Dask does not divide the GPUs of one machine between workers."""
    fits = (1 if size.gpus else machine.memory // size.memory) if size.available else 0
    return f"{fits} {'worker' if fits == 1 else 'workers'}" if fits else "none"


def _usage_advice(deployment: str, settings: Settings) -> str:
    return (
        suggest_size(UsageStore(settings).read_runs(deployment), settings)
        or "no run on Dask workers of this machine has recorded its use of resources"
    )
