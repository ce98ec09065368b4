"""Settings that cannot be read are told in words, and credentials go only where they belong."""

from __future__ import annotations

import pytest

from satflow_ext import endpoints
from satflow_ext.errors import SettingsWrong, StackFailed
from satflow_ext.settings import Settings, StoreSettings, load_settings


def test_a_file_that_is_no_toml(tmp_path, monkeypatch):
    (tmp_path / "satflow.toml").write_text("stores = [")
    monkeypatch.setenv("SATFLOW_CONFIG", str(tmp_path / "satflow.toml"))
    with pytest.raises(SettingsWrong, match="Invalid settings"):
        load_settings()


def test_a_variable_that_is_no_json(monkeypatch):
    monkeypatch.setenv("SATFLOW_STORES", "{team")
    with pytest.raises(SettingsWrong, match="stores"):
        load_settings()


@pytest.mark.parametrize(
    ("prefects_own", "lent"), [(None, "secret"), ("http://here/api", "secret"), ("https://cloud/api", None)]
)
def test_a_key_goes_only_to_the_api_it_was_set_with(monkeypatch, prefects_own, lent):
    monkeypatch.setenv("PREFECT_API_KEY", "secret")
    if prefects_own:
        monkeypatch.setenv("PREFECT_API_URL", prefects_own)
    store = StoreSettings(url="http://here/{digest}")
    chosen = Settings(prefect_api_url="http://here/api", store="team", stores={"team": store})
    assert endpoints.resolve_endpoints(chosen, None).prefect.api_key == lent


@pytest.mark.parametrize(("url", "lent"), [("https://cloud/api", "secret"), ("http://here/api", None)])
def test_the_key_of_a_profile_goes_only_to_the_api_of_that_profile(monkeypatch, tmp_path, url, lent):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    values = 'PREFECT_API_URL = "https://cloud/api"\nPREFECT_API_KEY = "secret"\n'
    (tmp_path / "profiles.toml").write_text(f'active = "mine"\n[profiles.mine]\n{values}')
    store = StoreSettings(url="http://here/{digest}")
    chosen = Settings(prefect_api_url=url, store="team", stores={"team": store})
    assert endpoints.resolve_endpoints(chosen, None).prefect.api_key == lent


@pytest.mark.parametrize("given", [{"SATFLOW_STATE_DIR": "/data/satflow"}, {"XDG_RUNTIME_DIR": "/run/user/1"}])
def test_the_runtime_folder_is_of_the_session_or_in_the_state_folder(monkeypatch, given):
    for name in ("XDG_RUNTIME_DIR", "SATFLOW_RUNTIME_DIR"):
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    expected = "/data/satflow/run" if "SATFLOW_STATE_DIR" in given else "/run/user/1/satflow"
    assert str(load_settings().runtime_dir) == expected


def test_a_record_of_another_version_is_told(tmp_path):
    (tmp_path / "stack.json").write_text('{"pid": 1, "later": true}')
    with pytest.raises(StackFailed, match="another version"):
        endpoints.read_record(Settings(runtime_dir=tmp_path))
