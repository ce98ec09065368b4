"""Packing a flow that captures so much data, beside plain `cloudpickle.dumps` and sha256 of the same flow, in turns.

`pack` gives more than the peer: the pickle in a file, a fingerprint over all that is captured, the lock of the environment, the
sources, and the git commit. Of a small flow that is all that it takes time for. `pack+seal` is what a registration does with a
flow before it sends anything: packing, and the signed envelope with the digest that the store knows it by.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cloudpickle
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from figure import p50, report
from prefect import flow, task

from satflow_ext.kernel.pack import pack_flow
from satflow_ext.keys import Signer
from satflow_ext.models import PackedFlow
from satflow_ext.settings import GIB
from satflow_ext.versions import envelope, packing_environment

SIZES = {"2KB": (2_000, 60), "1MB": (1_000_000, 60), "100MB": (100_000_000, 15)}
"""Name → bytes that are captured, and how often each way is measured."""

OBJECTS: dict[str, Callable[[], object]] = {
    "list1M": lambda: list(range(1_000_000)),
    "dict200k": lambda: {f"key{index}": index for index in range(200_000)},
    "frame200k": lambda: _frame(200_000),
}
"""Name → what makes data of many small objects that are captured. Measured `TIMES` times each."""
TIMES = 15

SIGNER = Signer(Ed25519PrivateKey.generate())
captured: Any = b""


@task
def part(index: int) -> int:
    """Reads some of what is captured."""
    return int(captured[index])


@flow
def captures(count: int = 3) -> list[int]:
    """Reaches what is captured through its task."""
    return [part(index) for index in range(count)]


def plainly(folder: Path) -> None:
    """The peer."""
    hashlib.sha256(cloudpickle.dumps(captures)).hexdigest()


def packing(folder: Path) -> PackedFlow:
    """As a kernel does it."""
    return pack_flow(captures, folder, namespace=globals(), limit=GIB)


def packing_and_sealing(folder: Path) -> None:
    """As a kernel and a registration do it."""
    packed = packing(folder)
    body = Path(packed.body)
    header = envelope.EnvelopeHeader(
        sha256=envelope.digest_of(body),
        size=packed.size,
        deployment="captures/captures",
        version=1,
        made=packing_environment.from_environment(packed.environment),
        created=datetime.now(timezone.utc),
    )
    envelope.write_envelope(body, header, SIGNER, folder / "content")


def _frame(rows: int) -> object:
    """A table with a column of Python objects."""
    import pandas

    names = pandas.Series([f"name {index}" for index in range(rows)], dtype=object)
    return pandas.DataFrame({"name": names, "value": range(rows)})


def measure(data: object, times: int) -> list[list[float]]:
    """Milliseconds of each way, the peer's first."""
    global captured
    captured = data
    taken = [[_one(way) for way in (plainly, packing, packing_and_sealing)] for _ in range(times + 1)]
    return [list(of_way) for of_way in zip(*taken[1:], strict=True)]


def _one(way: Callable[[Path], object]) -> float:
    with TemporaryDirectory() as folder:
        start = time.perf_counter()
        way(Path(folder))
        return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    for name, (size, times) in SIZES.items():
        peer, ours, sealed = map(p50, measure(os.urandom(size), times))
        report(f"pack.{name}", ours, peer, n=times)
        report(f"pack+seal.{name}", sealed, peer, n=times)
    for name, make in OBJECTS.items():
        if name.startswith("frame") and find_spec("pandas") is None:
            continue
        peer, ours, _ = map(p50, measure(make(), TIMES))
        report(f"pack.{name}", ours, peer, n=TIMES)
