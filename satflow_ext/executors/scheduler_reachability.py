"""Whether a Dask scheduler answers at an address, before anything waits for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from satflow_ext.errors import ClusterFailed

SECONDS = 10.0
"""In which it has to answer."""

FIX = "See that it runs and that flow runs reach it, or register with another address."


def need_scheduler(address: str) -> None:
    """Refuse to go on without an answer.

    distributed gives up a connection that is not made, and then waits without end for the first word of the other side: at the
    port of something else, or of a scheduler that hangs, a flow run would never end.

    Raises:
        ClusterFailed: none came.
    """
    with ThreadPoolExecutor(1) as thread:  # this one may have a loop of its own
        thread.submit(asyncio.run, _asked(address)).result()


async def _asked(address: str) -> None:
    from distributed.core import rpc
    from distributed.security import Security

    try:
        arguments = Security().get_connection_args("client")  # type: ignore[no-untyped-call]  # typed in part
        scheduler: Any = rpc(address, connection_args=arguments, timeout=SECONDS * 0.8, deserialize=False)  # type: ignore[no-untyped-call]
        try:
            await asyncio.wait_for(scheduler.ncores(), SECONDS)
        finally:
            await scheduler.close_rpc()
    except asyncio.TimeoutError:
        raise ClusterFailed(f"The Dask scheduler at {address} does not answer in {SECONDS:g} s.", fix=FIX) from None
    except OSError:
        raise ClusterFailed(f"The Dask scheduler at {address} cannot be reached.", fix=FIX) from None
    except (
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:  # no certificate for TLS, or bytes that are no message of Dask's
        said = f"{type(error).__name__}: {error}"
        raise ClusterFailed(f"What answers at {address} is no Dask scheduler ({said}).", fix=FIX) from None
