"""Prefect or the store fails from any request on: the old version is there or the new one, and the next registration heals.

The requests that change anything are taken, and the first one; `SATFLOW_EVERY_KILL=1` takes every request with every fault.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from satflow_ext.errors import PrefectFailed, StoreFailed
from satflow_ext.prefect_api import http_client
from satflow_ext.versions import store_client
from tests.between import Between, Fault, before_store, between
from tests.registration.series import Series

EVERY = bool(os.environ.get("SATFLOW_EVERY_KILL"))
FAULTS: tuple[Fault, ...] = ("refused", "cut before", "cut after")
Request = tuple[str, str]

logger = logging.getLogger(__name__)

pytestmark = pytest.mark.timeout(3600 if EVERY else 300)


@pytest.fixture
def series(stack, packed, name):
    found = Series(stack, packed, name)
    assert found.register(stack.endpoints).deployment.version == 1
    return found


@pytest.fixture
def fails(series, monkeypatch):
    """A registration that asks once: who asks again only waits in vain for the end of an outage that lasts."""

    def fail(through, error):
        with monkeypatch.context() as patch:
            patch.setattr(http_client, "RETRIES", 0)
            patch.setattr(http_client, "RETRY_SECONDS", 0.0)
            patch.setattr(store_client, "RETRY_PAUSES", ())
            with pytest.raises(error):
                series.register(through)

    return fail


def points_of(proxy: Between, register: Callable[[], object]) -> list[tuple[int, Request, Fault]]:
    """The requests of one registration that nothing happens to, and with which faults they are tried."""
    seen: list[Request] = []
    proxy.faulty = lambda method, path: seen.append((method, path))
    register()
    if EVERY:
        return [(step, request, fault) for step, request in enumerate(seen) for fault in FAULTS]
    changing = [step for step, (method, _) in enumerate(seen) if method in ("PUT", "PATCH", "POST")]
    return [(0, seen[0], "refused"), *((step, seen[step], fault) for step in changing for fault in FAULTS[1:])]


def breaks(proxy: Between, step: int, fault: str) -> None:
    """Let every request from that one on go wrong."""
    passed = []

    def faulty(method, path):
        passed.append((method, path))
        return fault if len(passed) > step else None

    proxy.faulty = faulty


def test_prefect_fails_from_any_request_on(stack, series, fails):
    with between(stack.endpoints.prefect) as proxy:
        through = replace(stack.endpoints, prefect=proxy.api)
        points = points_of(proxy, lambda: series.register(through))
        assert ("POST", "/api/deployments/") in [request for _, request, _ in points]
        for step, *point in points:
            before = series.version()
            breaks(proxy, step, point[1])
            fails(through, PrefectFailed)
            series.check(before, point)
    logger.warning("%s points", len(points))


def test_the_store_fails_from_any_request_on(stack, series, fails):
    with before_store(stack.endpoints.store) as (proxy, store):
        through = replace(stack.endpoints, store=store)
        points = points_of(proxy, lambda: series.register(through))
        assert [request[0] for _, request, _ in points].count("PUT") >= 2
        for step, *point in points:
            before = series.version()
            breaks(proxy, step, point[1])
            fails(through, StoreFailed)
            assert series.version() == before, "Prefect was not told anything"
            series.check(before, point)
    logger.warning("%s points", len(points))


def test_an_answer_that_is_lost_once_makes_one_version(stack, series):
    with between(stack.endpoints.prefect) as proxy:
        lost = []

        def once(method, path):
            if (method, path) == ("POST", "/api/deployments/") and not lost:
                lost.append(path)
                return "cut after"
            return None

        proxy.faulty = once
        done = series.register(replace(stack.endpoints, prefect=proxy.api))
    assert (done.outcome, done.deployment.version, len(lost)) == ("changed", 2, 1)
    series.check(1, "POST /deployments/")
