"""The suite of all checks: it runs them one after the other and removes their contents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from satflow_ext.conformance import (
    access,
    address_checks,
    broken_bodies,
    client_checks,
    connections,
    parallel,
    persistence,
    read_checks,
    wrong_bodies,
)
from satflow_ext.conformance.check_base import Check, CheckFailed, CheckResult, NotApplicable
from satflow_ext.conformance.probe import Probe
from satflow_ext.endpoints import Store

GROUPS = (
    persistence.group,
    client_checks.group,
    read_checks.group,
    parallel.group,
    broken_bodies.group,
    connections.group,
    access.group,
    address_checks.group,
    wrong_bodies.group,
)
CHECKS: tuple[Check, ...] = tuple(check for group in GROUPS for check in group.checks)

LARGEST_SIZE = 8 * 1024 * 1024
CHECK_TIMEOUT = 60.0
"""Maximum seconds per check."""


@dataclass(frozen=True)
class SuiteReport:
    """The results of all checks.

    Args:
        results: result of each check.
        remaining: digests of test contents that could not be removed.
    """

    results: tuple[CheckResult, ...]
    remaining: tuple[str, ...]

    @property
    def is_usable(self) -> bool:
        """True if no required check failed."""
        return not any(result.outcome == "fail" and result.check.required for result in self.results)


async def run_checks(
    store: Store,
    *,
    checks: Iterable[Check] = CHECKS,
    largest: int = LARGEST_SIZE,
    on_result: Callable[[CheckResult], None] = lambda _: None,
) -> SuiteReport:
    """Run checks on a store.

    Args:
        store: store to check.
        checks: checks to run.
        largest: size of the largest test content in bytes.
        on_result: callback that receives each result.
    """
    async with Probe(store, largest) as probe:
        results = []
        for check in checks:
            results.append(await _run_check(check, probe))
            on_result(results[-1])
        return SuiteReport(tuple(results), await _remove_contents(probe))


async def _run_check(check: Check, probe: Probe) -> CheckResult:
    try:
        await asyncio.wait_for(check.function(probe), CHECK_TIMEOUT)
    except CheckFailed as error:
        return CheckResult(check, "fail", str(error))
    except NotApplicable as error:
        return CheckResult(check, "not applicable", str(error))
    except asyncio.TimeoutError:
        return CheckResult(check, "fail", f"the check did not finish within {CHECK_TIMEOUT:g} s")
    except (httpx.HTTPError, OSError, EOFError) as error:
        return CheckResult(check, "fail", f"the connection failed: {type(error).__name__}: {error}".rstrip(": "))
    return CheckResult(check, "pass")


async def _remove_contents(probe: Probe) -> tuple[str, ...]:
    """Remove the test contents if the store allows it, and return the digests that remain."""
    left = []
    for digest in probe.sent_digests:
        try:
            await probe.send_request("DELETE", digest)
            if (await probe.get(digest)).status_code == httpx.codes.OK:
                left.append(digest)
        except httpx.HTTPError:
            left.append(digest)
    return tuple(left)
