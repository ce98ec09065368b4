"""The translations of the package, where jupyterlab_server finds them.

`satflow_ext/locale` is registered as `jupyterlab.locale`, so that JupyterLab loads the messages of the browser part with those of
an installed language pack. jupyterlab_server offers only languages that have a language pack, and it translates the titles of
settings only with those of a language pack. This module provides both for languages that the package has.
"""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

from jupyterlab_server.translation_utils import TranslationBundle, translator

DOMAIN = "satflow_ext"
LOCALES = Path(__file__).parents[1] / "locale"


def __getattr__(name: str) -> ModuleType | SimpleNamespace:
    """Return the language pack of a language such as `de_DE` (entry points of `jupyterlab.languagepack`).

    It is JupyterLab's own if that is installed, because only one pack of a language is used. Otherwise it is the folder of the
    language in this package: then SatFlow is translated, and JupyterLab stays English.
    """
    folder = LOCALES / name
    if not folder.is_dir():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    pack = f"jupyterlab_language_pack_{name}"
    return import_module(pack) if find_spec(pack) else SimpleNamespace(__file__=str(folder / "__init__.py"))


class SettingsTranslations(TranslationBundle):
    """The translations of titles and descriptions in `schema/`."""

    def update_locale(self, locale_: str) -> None:
        """Change the language."""
        path = LOCALES / locale_ / "LC_MESSAGES" / f"{DOMAIN}.json"
        self._messages: dict[str, list[str]] = json.loads(path.read_bytes()) if path.exists() else {}

    def pgettext(self, msgctxt: str, msgid: str) -> str:
        """Translate a text of a schema."""
        return self._messages.get(f"{msgctxt}\x04{msgid}", [msgid])[0]


def translate_settings() -> None:
    """Translate the schema of the settings in this server, which has no other way to take the messages from a package."""
    translator._TRANSLATORS[DOMAIN] = SettingsTranslations(DOMAIN, translator._LOCALE)
