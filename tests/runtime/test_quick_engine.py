"""What flow runs leave out of Prefect's engine changes nothing that it computes."""

from __future__ import annotations

import ssl

import pytest
from prefect import settings
from prefect.client import orchestration
from prefect.logging import configuration
from prefect.settings import get_current_settings

from satflow_ext.runtime import quick_engine

CLIENTS = (orchestration.PrefectClient, orchestration.SyncPrefectClient)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """This process is as that of a flow run, and afterwards as before."""
    for kind in CLIENTS:
        monkeypatch.setattr(kind, "__init__", kind.__init__)
    monkeypatch.setattr(configuration, "get_current_settings", configuration.get_current_settings)
    quick_engine.share_tls_context()
    quick_engine.read_few_settings_for_logging()


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize(
    ("url", "reads_authorities"),
    [
        ("http://127.0.0.1:4200/api", False),
        ("http://localhost:4200/api", False),
        ("https://127.0.0.1:4200/api", True),
        ("http://prefect.example:4200/api", True),
        ("http://127.0.0.1.example/api", True),
    ],
)
def test_only_clients_of_this_machine_have_no_certificate_authorities(monkeypatch, kind, url, reads_authorities):
    read = []
    make = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **options: read.append(options) or make(**options))
    kind(url)
    kind(url)
    assert len(read) == (2 if reads_authorities else 0)


@pytest.mark.parametrize("kind", CLIENTS)
def test_the_shared_context_trusts_no_certificate_and_a_chosen_one_is_kept(monkeypatch, kind):
    given = []
    monkeypatch.setattr(kind, "__init__", lambda self, api, **options: given.append(options))
    quick_engine.share_tls_context()
    chosen = ssl.create_default_context()
    kind("http://localhost/api", httpx_settings={"timeout": 5})
    kind("http://localhost/api", httpx_settings={"verify": chosen})
    shared = given[0]["httpx_settings"].pop("verify")
    assert (shared.verify_mode, shared.check_hostname, shared.get_ca_certs()) == (ssl.CERT_REQUIRED, True, [])
    assert given == [{"httpx_settings": {"timeout": 5}}, {"httpx_settings": {"verify": chosen}}]


def test_each_setting_has_the_text_that_prefect_writes():
    written = get_current_settings().to_environment_variables(include_aliases=True)
    named = quick_engine._NamedSettings({"include_aliases": True})
    assert len(written) > 100
    assert {name: named[name] for name in written} == written
    assert dict(named) == written
    with pytest.raises(KeyError):
        named["PREFECT_OF_NOBODY"]


@pytest.mark.parametrize("level", ["DEBUG", "warning"])
def test_the_logging_configuration_is_the_same(monkeypatch, level):
    with settings.temporary_settings({settings.PREFECT_LOGGING_LEVEL: level}):
        monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "17")
        quick = configuration.load_logging_config(configuration.DEFAULT_LOGGING_SETTINGS_PATH)
        monkeypatch.setattr(configuration, "get_current_settings", get_current_settings)
        assert quick == configuration.load_logging_config(configuration.DEFAULT_LOGGING_SETTINGS_PATH)
    assert level.upper() in str(quick)
