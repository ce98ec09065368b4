"""`satflow store check`, against nginx and against endpoints that are no stores."""

from __future__ import annotations

import json

import pytest

from satflow_ext.cli import main
from satflow_ext.conformance import persistence, suite
from tests.registration.nginx import running_nginx
from tests.webhook import always, endpoint

SECRET = "Bearer a-credential-of-the-team"


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """The checks that need no other test than theirs are left out."""
    monkeypatch.setattr(
        suite.run_checks, "__kwdefaults__", {**suite.run_checks.__kwdefaults__, "checks": persistence.group.checks[:3]}
    )


def check(capsys, *words):
    code = main(["store", "check", *words])
    return code, capsys.readouterr()


@pytest.mark.slow
def test_a_store_passes_and_the_credential_stays_in_the_environment(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TEAM_STORE_AUTH", SECRET)
    with running_nginx(tmp_path, SECRET) as url:
        code, told = check(capsys, url, "--header", "Authorization=TEAM_STORE_AUTH")
    assert code == 0, told
    assert "SatFlow can use this store." in told.out
    assert "required: 3 of 3 passed" in told.out
    assert "3 contents of the checks remain" in told.out
    assert SECRET not in told.out + told.err


@pytest.mark.slow
def test_a_store_of_the_settings(tmp_path, monkeypatch, capsys):
    with running_nginx(tmp_path, SECRET) as url:
        monkeypatch.setenv("SATFLOW_STORES__TEAM__URL", url)
        monkeypatch.setenv("SATFLOW_STORES__TEAM__HEADERS", '{"Authorization": "TEAM_STORE_AUTH"}')
        monkeypatch.setenv("TEAM_STORE_AUTH", SECRET)
        code, told = check(capsys, "team", "--json")
    found = json.loads(told.out)
    assert (code, found["usable"], len(found["left"])) == (0, True, 3)
    assert [each["outcome"] for each in found["checks"]] == ["pass"] * 3


def test_a_login_page_is_no_store(capsys):
    with endpoint(always(200, b"<html>Log in</html>", "text/html")) as url:
        code, told = check(capsys, url)
    assert code == 1
    assert "FAIL  required     keeping.empty" in told.out
    assert "SatFlow cannot use this store." in told.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["https://me:secret@files.example.com/"], "URL contains a credential"),
        (["https://files.example.com/", "--header", "Authorization=Bearer x"], "--header takes NAME=VARIABLE"),
        (["https://files.example.com/", "--header", "Authorization=NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE"),
        (["https://files.example.com/{digest}/{digest}"], "must contain {digest} once"),
        (["teem"], "No store is named 'teem'"),
        (["local", "--method", "POST"], "apply only to a URL, and 'local' is the name of a store"),
    ],
)
def test_what_describes_no_store_is_told(words, why, capsys):
    code, told = check(capsys, *words)
    assert code == 1
    assert why in told.err
    assert "me:secret" not in told.err
