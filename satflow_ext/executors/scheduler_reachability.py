"""Check that a Dask scheduler answers at an address before a flow run waits for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from satflow_ext.errors import ClusterFailed

ANSWER_TIMEOUT = 10.0
"""Seconds that the scheduler has to answer."""

FIX = "Check that it is running and that flow runs can reach it, or register with another address."


def require_scheduler(address: str) -> None:
    """Check that the scheduler answers.

    distributed has a timeout for connecting, but then waits indefinitely for the first message of the server: at the port of
    another service, or of a blocked scheduler, a flow run would never end.

    Raises:
        ClusterFailed: the scheduler did not answer.
    """
    with ThreadPoolExecutor(1) as thread:  # the current thread may have a running loop
        thread.submit(asyncio.run, _contact_scheduler(address)).result()


async def _contact_scheduler(address: str) -> None:
    from distributed.core import rpc
    from distributed.security import Security

    try:
        arguments = Security().get_connection_args("client")  # type: ignore[no-untyped-call]  # typed in part
        scheduler: Any = rpc(address, connection_args=arguments, timeout=ANSWER_TIMEOUT * 0.8, deserialize=False)  # type: ignore[no-untyped-call]
        try:
            await asyncio.wait_for(scheduler.ncores(), ANSWER_TIMEOUT)
        finally:
            await scheduler.close_rpc()
    except asyncio.TimeoutError:
        raise ClusterFailed(
            f"The Dask scheduler at {address} does not answer in {ANSWER_TIMEOUT:g} s.", fix=FIX
        ) from None
    except OSError:
        raise ClusterFailed(f"The Dask scheduler at {address} cannot be reached.", fix=FIX) from None
    except (
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:  # no TLS certificate, or bytes that are not a Dask message
        error_text = f"{type(error).__name__}: {error}"
        raise ClusterFailed(f"The server at {address} is not a Dask scheduler ({error_text}).", fix=FIX) from None
