"""Folders, stores and clusters are told by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from satflow_ext.redaction.guard import PlaceRedactor, list_places
from satflow_ext.settings import Settings, StoreSettings

TEAM = StoreSettings(url="https://files.example.com:8443/a/{digest}")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Timed out trying to connect to tcp://10.0.0.7:8786 after 10 s", "[cluster address] after 10 s"),
        ("<Client: 'tls://10.0.0.7:8786' processes=2>", "<Client: '[cluster address]' processes=2>"),
        ("The store at https://files.example.com:8443 does not answer.", "https://[store team] does not answer"),
        ("no file /srv/flows/state/keys", "no file [state_dir]/keys"),
        ("no file {home}/prices.csv", "no file ~/prices.csv"),
        ("see https://prefect.io/docs", "see https://prefect.io/docs"),
    ],
)
def test_named(said, told):
    here = Settings(state_dir=Path("/srv/flows/state"), stores={"team": TEAM})
    assert told in PlaceRedactor(list_places(here))(said.replace("{home}", str(Path.home())))


def test_a_short_place_is_no_secret():
    assert PlaceRedactor(list_places(Settings(state_dir=Path("/srv"))))("/srv/x") == "/srv/x"
