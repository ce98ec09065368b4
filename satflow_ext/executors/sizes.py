"""Worker sizes: names for cores and memory of one Dask worker, and what a machine can give of them."""

from __future__ import annotations

from satflow_ext.errors import SizeRefused, UnknownWorkerSize
from satflow_ext.executors.machine import Machine
from satflow_ext.models import WorkerSize
from satflow_ext.settings import GIB, Settings, SizeSettings


def sizes_on(machine: Machine, settings: Settings) -> tuple[WorkerSize, ...]:
    """Every worker size, and whether one such worker fits on this machine."""
    return tuple(_size(name, size, machine) for name, size in settings.worker_sizes.items())


def named(name: str, settings: Settings) -> SizeSettings:
    """The size of that name.

    Raises:
        UnknownWorkerSize: no size has it.
    """
    if name not in settings.worker_sizes:
        known = ", ".join(settings.worker_sizes)
        raise UnknownWorkerSize(
            f"No worker size is called {name!r}.", fix=f"Choose one of {known}.", field="executor.options.worker_size"
        )
    return settings.worker_sizes[name]


def bytes_of(size: SizeSettings) -> int:
    """Memory of one worker of that size, in bytes."""
    return int(size.memory * GIB)


def refuse_unless_fits(name: str, count: int, settings: Settings, machine: Machine) -> None:
    """Compare what `count` workers of a size need with what the machine has.

    Only memory is compared: a Dask worker's threads are slots for tasks, not a claim on cores.

    Raises:
        SizeRefused: they need more; the message has the numbers.
    """
    each = bytes_of(named(name, settings))
    if each * count <= machine.memory:
        return
    raise SizeRefused(
        f"{count} {'worker' if count == 1 else 'workers'} of size {name!r} need {_gib(each * count)} GiB of memory; "
        f"this machine has {_gib(machine.memory)} GiB.",
        fix=_advice(each, settings, machine),
        field="executor.options.worker_size",
    )


def _advice(each: int, settings: Settings, machine: Machine) -> str:
    possible = machine.memory // each
    if possible:
        return f"Take at most {possible} of that size, or a smaller size."
    fitting = [size.name for size in sizes_on(machine, settings) if size.available]
    return f"Choose one of {', '.join(fitting)}." if fitting else "Give no worker size, to share what there is."


def _size(name: str, size: SizeSettings, machine: Machine) -> WorkerSize:
    memory = bytes_of(size)
    fits = memory <= machine.memory
    reason = None if fits else f"needs {_gib(memory)} GiB; this machine has {_gib(machine.memory)} GiB"
    return WorkerSize(name=name, cores=size.cores, memory=memory, available=fits, reason=reason)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f}".removesuffix(".0")
