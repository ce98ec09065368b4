"""`satflow keys` as it is typed."""

from __future__ import annotations

import json

import pytest

from satflow_ext import cli


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("SATFLOW_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def satflow(capsys):
    """Gives what a command printed."""

    def run(*words, code=0):
        assert cli.main(["keys", *words]) == code
        printed = capsys.readouterr()
        return (printed.err if code else printed.out).strip()

    return run


def test_before_the_first_key_the_list_says_when_it_comes(satflow):
    assert "created when you first register" in satflow("list")
    assert json.loads(satflow("list", "--json")) == []


def test_the_exported_line_is_trusted_elsewhere(satflow, monkeypatch, tmp_path):
    line = satflow("export")
    assert line.startswith("ed25519:")
    (mine,) = json.loads(satflow("list", "--json"))
    assert (mine["key"], mine["signs"], mine["origin"]) == (line, True, "own")
    assert json.loads(satflow("--json", "export"))["key"] == line
    monkeypatch.setenv("SATFLOW_STATE_DIR", str(tmp_path / "elsewhere"))
    assert satflow("trust", line) == f"Trusted from now on: {mine['id']} {mine['name']}"
    (there,) = json.loads(satflow("list", "--json"))
    assert (there["key"], there["signs"], there["origin"]) == (line, False, "trusted")
    assert satflow("revoke", mine["id"]).startswith("No longer trusted")
    assert "revoked" in satflow("list")


def test_a_file_of_keys_is_trusted(satflow, monkeypatch, tmp_path):
    (tmp_path / "keys.txt").write_text(f"# the team\n{satflow('export')}\n")
    monkeypatch.setenv("SATFLOW_STATE_DIR", str(tmp_path / "elsewhere"))
    assert len(json.loads(satflow("trust", "--json", str(tmp_path / "keys.txt")))) == 1


def test_rotating_says_what_becomes_of_the_old_key(satflow):
    satflow("export")
    (old,) = json.loads(satflow("list", "--json"))
    assert f"satflow keys revoke {old['id']}" in satflow("rotate")
    again = json.loads(satflow("rotate", "--json"))
    assert again["replaces"] != old["id"]
    assert [row["signs"] for row in json.loads(satflow("list", "--json"))] == [False, False, True]
    assert "yours, signs" in satflow("list")


def test_keys_of_the_setting_are_listed_and_not_revoked_here(satflow, monkeypatch):
    monkeypatch.setenv("SATFLOW_TRUSTED_KEYS", "ed25519:" + "A" * 43 + "= team")
    (row,) = json.loads(satflow("list", "--json"))
    assert (row["origin"], row["name"]) == ("settings", "team")
    assert "SATFLOW_TRUSTED_KEYS" in satflow("list")
    assert "Remove it from that setting" in satflow("revoke", row["id"], code=1)


@pytest.mark.parametrize("words", [("trust", "nonsense"), ("revoke", "nonsense"), ("trust", "ed25519:short")])
def test_mistakes_are_told_in_a_line(satflow, words):
    told = satflow(*words, code=1)
    assert told.startswith("satflow: ")
    assert "Traceback" not in told
