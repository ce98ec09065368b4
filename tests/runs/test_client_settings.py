"""Prefect's settings for its clients apply to ours, wherever they are set; without any, Prefect is not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

URL = "https://prefect.team.example/api"
HEADERS = {"X-Team": "north"}

PROGRAM = """
import json, sys
from satflow_ext.endpoints import PrefectApi
from satflow_ext.prefect_api.http_client import read_client_settings

for url in sys.argv[1:]:
    found = read_client_settings(PrefectApi(url))
    print(json.dumps([found.headers, sorted(found.retry_codes), "prefect" in sys.modules]))
"""

PROFILE = f"""
active = "team"

[profiles.team]
PREFECT_API_URL = "{URL}"
PREFECT_CLIENT_CUSTOM_HEADERS = '{json.dumps(HEADERS)}'
PREFECT_CLIENT_RETRY_EXTRA_CODES = "418"
"""
TOML = f"""
[api]
url = "{URL}"

[client]
retry_extra_codes = "418"
custom_headers = {{ X-Team = "north" }}
"""
VARIABLES = {
    "PREFECT_API_URL": URL,
    "PREFECT_CLIENT_CUSTOM_HEADERS": json.dumps(HEADERS),
    "PREFECT_CLIENT_RETRY_EXTRA_CODES": "418",
}
DOTENV = "\n".join(f"{name}='{value}'" for name, value in VARIABLES.items())


def read(folder: Path, *urls: str, **variables: str) -> list[list[object]]:
    """For each API: headers, further status codes, and whether Prefect was imported for them, in that folder."""
    environment = {**os.environ, "PREFECT_HOME": str(folder / "prefect"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, *urls]
    done = subprocess.run(command, cwd=folder, env=environment | variables, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("file", "text", "variables"),
    [
        ("prefect/profiles.toml", PROFILE, {}),
        ("prefect.toml", TOML, {}),
        (".env", DOTENV, {}),
        (None, "", VARIABLES),
    ],
)
def test_settings_are_found_wherever_they_are(tmp_path, file, text, variables):
    (tmp_path / "prefect").mkdir()
    if file is not None:
        (tmp_path / file).write_text(text)
    here, elsewhere = read(tmp_path, URL, "https://elsewhere.example/api", **variables)
    assert here == [HEADERS, [418], True]
    assert elsewhere[0] == {}, "they may contain a credential"


def test_without_such_settings_prefect_is_not_imported(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["prefect"]\n[project.urls]\nhomepage = "x"\n')
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "profiles.toml").write_text(f'active = "t"\n[profiles.t]\nPREFECT_API_URL = "{URL}"\n')
    assert read(tmp_path, URL, PREFECT_API_URL=URL, PREFECT_API_KEY="key") == [[{}, [], False]]
