"""All checks, one after the other, and taking away what they left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from satflow_ext.conformance import (
    access,
    addresses,
    broken_bodies,
    client,
    connections,
    parallel,
    persistence,
    read_checks,
    wrong_bodies,
)
from satflow_ext.conformance.check_base import Check, NotApplicable, Result, Wrong
from satflow_ext.conformance.probe import Probe
from satflow_ext.endpoints import Store

GROUPS = (
    persistence.group,
    client.group,
    read_checks.group,
    parallel.group,
    broken_bodies.group,
    connections.group,
    access.group,
    addresses.group,
    wrong_bodies.group,
)
CHECKS: tuple[Check, ...] = tuple(check for group in GROUPS for check in group.checks)

LARGEST = 8 * 1024 * 1024
DEADLINE = 60.0
"""Seconds for one check."""


@dataclass(frozen=True)
class Report:
    """How all checks went.

    Args:
        results: of each.
        left: digests that could not be removed again.
    """

    results: tuple[Result, ...]
    left: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether no required check failed."""
        return not any(result.outcome == "fail" and result.check.required for result in self.results)


async def run(
    store: Store,
    *,
    checks: Iterable[Check] = CHECKS,
    largest: int = LARGEST,
    tell: Callable[[Result], None] = lambda _: None,
) -> Report:
    """Let checks loose on a store.

    Args:
        store: which one.
        checks: which ones.
        largest: bytes of the largest content that is sent.
        tell: told of each result as it comes.
    """
    async with Probe(store, largest) as probe:
        results = []
        for check in checks:
            results.append(await _result(check, probe))
            tell(results[-1])
        return Report(tuple(results), await _removed(probe))


async def _result(check: Check, probe: Probe) -> Result:
    try:
        await asyncio.wait_for(check.act(probe), DEADLINE)
    except Wrong as error:
        return Result(check, "fail", str(error))
    except NotApplicable as error:
        return Result(check, "not applicable", str(error))
    except asyncio.TimeoutError:
        return Result(check, "fail", f"no end after {DEADLINE:g} s")
    except (httpx.HTTPError, OSError, EOFError) as error:
        return Result(check, "fail", f"the connection failed: {type(error).__name__}: {error}".rstrip(": "))
    return Result(check, "pass")


async def _removed(probe: Probe) -> tuple[str, ...]:
    """Remove what was sent, where the store lets anybody do so; what is left."""
    left = []
    for digest in probe.touched:
        try:
            await probe.ask("DELETE", digest)
            if (await probe.get(digest)).status_code == httpx.codes.OK:
                left.append(digest)
        except httpx.HTTPError:
            left.append(digest)
    return tuple(left)
