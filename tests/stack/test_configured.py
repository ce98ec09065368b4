"""Settings that name another Prefect API: nothing of it is started here, and the status says whether it answers."""

from __future__ import annotations

import httpx

from satflow_ext import lease
from satflow_ext.endpoints import PrefectApi
from satflow_ext.settings import Settings, StoreSettings
from tests.stack.place import Place


def elsewhere(place: Place, api: str) -> Settings:
    """Settings that leave nothing to the local stack."""
    team = {"team": StoreSettings(url="https://store.example/{digest}")}
    return place.settings.model_copy(update={"prefect_api_url": api, "store": "team", "stores": team})


def test_nothing_is_started_when_nothing_is_needed(light: Place, other_prefect: PrefectApi) -> None:
    here = elsewhere(light, other_prefect.url)
    with lease.acquire_lease(here) as held:
        assert held.record is None
    assert light.processes() == []
    status = lease.read_status(here)
    assert (status.kind, status.state, status.prefect_api, status.store) == (
        "configured",
        "ready",
        other_prefect.url,
        "team",
    )


def test_a_configured_api_that_is_silent_is_told(light: Place) -> None:
    status = lease.read_status(elsewhere(light, "http://127.0.0.1:9/api"))
    assert status.state == "failed"
    assert "No Prefect API answers at http://127.0.0.1:9/api" in (status.step or "")


def test_with_a_configured_api_only_the_store_is_started(light: Place, other_prefect: PrefectApi) -> None:
    here = light.settings.model_copy(update={"prefect_api_url": other_prefect.url})
    assert lease.read_status(here).state == "stopped"
    with lease.acquire_lease(here) as held:
        assert held.record is not None
        assert held.record.prefect_url is None
        assert httpx.get(str(held.record.store_url)).status_code == 401
        assert lease.read_status(here).state == "ready"
