"""The translations of the package, as JupyterLab's server reads them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from jupyterlab_server.translation_utils import DEFAULT_LOCALE, translator

from satflow_ext.server import translations

ROOT = Path(__file__).parents[2]
LANGUAGES = sorted(path.name for path in translations.LOCALES.iterdir() if path.is_dir())


@pytest.fixture
def jp_server_config(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """JupyterLab with the schema of this tree. The language is one of the process."""
    shutil.copytree(ROOT / "schema", tmp_path / "satflow-ext" / "schemas" / "satflow-ext")
    (tmp_path / "satflow-ext" / "package.json").write_text('{"name": "satflow-ext", "version": "1"}')
    extensions = {"satflow_ext": True, "jupyterlab": True}
    yield {
        "ServerApp": {"jpserver_extensions": extensions},
        "LabApp": {"labextensions_path": [str(tmp_path)], "user_settings_dir": str(tmp_path / "settings")},
    }
    translator.set_locale(DEFAULT_LOCALE)


async def read(fetch: Any, *path: str) -> Any:
    return json.loads((await fetch("lab", "api", *path)).body)


async def test_jupyterlab_offers_german_and_has_the_german_messages(jp_fetch):
    offered = await read(jp_fetch, "translations")
    assert offered["message"] == ""
    assert offered["data"]["de_DE"]["nativeName"] == "Deutsch (Deutschland)"
    loaded = await read(jp_fetch, "translations", "de_DE")
    messages = loaded["data"]["satflow_ext"]
    assert messages["Show Flows"] == ["Flows anzeigen"]
    assert messages["%1 run"] == ["%1 Lauf", "%1 Läufe"]
    assert messages[""]["language"] == "de-DE"


async def test_titles_of_settings_follow_the_language(jp_fetch):
    async def read_title() -> str:
        settings = await read(jp_fetch, "settings", "satflow-ext:plugin")
        return str(settings["schema"]["properties"]["timezone"]["title"])

    assert await read_title() == "Time zone of new schedules"
    language = {"raw": json.dumps({"locale": "de_DE"})}
    await jp_fetch(
        *("lab", "api", "settings", "@jupyterlab/translation-extension:plugin"), method="PUT", body=json.dumps(language)
    )
    assert await read_title() == "Zeitzone neuer Zeitpläne"


def test_jupyterlab_s_own_language_pack_has_precedence(monkeypatch, tmp_path):
    pack = tmp_path / "jupyterlab_language_pack_de_DE" / "__init__.py"
    pack.parent.mkdir()
    pack.touch()
    assert Path(translations.de_DE.__file__).parent == translations.LOCALES / "de_DE"
    monkeypatch.syspath_prepend(tmp_path)
    assert translations.de_DE.__file__ == str(pack)
    del sys.modules[pack.parent.name]


def test_every_language_is_registered():
    packs = {entry.name: entry.value for entry in entry_points(group="jupyterlab.languagepack")}
    for language in LANGUAGES:
        assert packs[language] == f"satflow_ext.server.translations:{language}"


def test_other_names_are_not_languages():
    with pytest.raises(AttributeError):
        _ = translations.tlh_KX
