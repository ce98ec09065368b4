"""`%register_flow` of a changed flow where 1,000 other flows are registered already, beside the same where one is.

Two local stacks and a kernel at each, which register in turns, so that whatever else the machine does happens to both.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from figure import p50, p99, report
from places import own_stack
from prefect import flow
from register import kernel, one

from satflow_ext.endpoints import Endpoints
from satflow_ext.kernel.pack import pack_flow
from satflow_ext.models import PackedFlow, Registration
from satflow_ext.registration import register
from satflow_ext.settings import GIB, Settings

EXISTING = 1_000
AT_ONCE = 4
TIMES = 60
WARM_UP = 3


@flow
def other(count: int = 3) -> int:
    """One of many."""
    return count


async def fill(where: Endpoints, settings: Settings) -> None:
    """Register so many flows that another one makes `EXISTING`."""
    with TemporaryDirectory() as folder:
        packed = pack_flow(other, Path(folder), namespace=globals(), limit=GIB)
        places = asyncio.Semaphore(AT_ONCE)

        async def add(number: int) -> None:
            async with places:
                await register(_named(packed, f"other-{number}"), Registration(), where, settings)

        await asyncio.gather(*map(add, range(EXISTING - 1)))


def _named(packed: PackedFlow, name: str) -> PackedFlow:
    """The same as another flow: it is never run."""
    return packed.model_copy(update={"flow": packed.flow.model_copy(update={"name": name})})


if __name__ == "__main__":
    with own_stack(), kernel() as with_one, own_stack() as (where, here), kernel() as with_many:
        asyncio.run(fill(where, here))
        taken = [(one(with_many, count), one(with_one, count)) for count in range(TIMES + WARM_UP)]
        many, few = (list(of_one) for of_one in zip(*taken[WARM_UP:], strict=True))
        report(f"register.p50@{EXISTING}", p50(many), p50(few), n=TIMES)
        report(f"register.p99@{EXISTING}", p99(many), p99(few), n=TIMES)
