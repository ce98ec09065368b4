"""Extract the messages that JupyterLab translates, and merge them into the translations in satflow_ext/locale.

The messages are those of the translation functions in src/ (source_messages.mjs) and the titles, descriptions and labels in
schema/. For each language, satflow_ext.po has the translations, and satflow_ext.json has the same in the form that
jupyterlab_server reads.
With --check, write nothing, and fail if a file is not current or a translation is not complete.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from babel import Locale, UnknownLocaleError
from babel.messages import Catalog, Message
from babel.messages.pofile import PoFileError, read_po, write_po
from jupyterlab_server.translation_utils import translator

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "satflow_ext" / "locale"
DOMAIN = "satflow_ext"
TEMPLATE = LOCALES / f"{DOMAIN}.pot"
PLACEHOLDER = re.compile(r"%%|%(\d+)")
CONTEXT_DELIMITER = "\x04"
"""What separates a message from its context in the keys of the JSON file, as in gettext's .mo files."""
TEMPLATE_HEADER = """# Messages of SatFlow, extracted by scripts/translations. Do not edit.
msgid ""
msgstr ""
"Project-Id-Version: satflow-ext\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""


class SourceMessage(NamedTuple):
    """A message in the source, in English, with the file and line of its use."""

    context: str | None
    id: str | None
    plural: str | None
    file: str
    line: int
    constant: bool
    """Whether all its texts are constants. Texts that are computed cannot be extracted."""


class SchemaRecorder:
    """Takes the place of the translations of a schema, and records the messages for which JupyterLab requests one."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.messages: list[SourceMessage] = []

    def pgettext(self, context: str, text: str) -> str:
        """Record a message, and return it unchanged."""
        self.messages.append(SourceMessage(context, text, None, self.file, 1, constant=True))
        return text


def read_browser_messages(folder: str = "src") -> list[SourceMessage]:
    """Return the messages in the TypeScript files of a folder."""
    printed = subprocess.run(
        ["node", "scripts/source_messages.mjs", folder],  # noqa: S607 # the node of the PATH, like all scripts
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [SourceMessage(**each) for each in json.loads(printed)]


def read_schema_messages() -> list[SourceMessage]:
    """Return the messages in schema/: those that jupyterlab_server translates before it sends a schema."""
    messages = []
    for path in sorted((ROOT / "schema").glob("*.json")):
        recorder = SchemaRecorder(str(path.relative_to(ROOT)))
        translator._translate_schema_strings(recorder, json.loads(path.read_text()))
        messages += recorder.messages
    return messages


def find_source_problems(messages: Iterable[SourceMessage]) -> Iterator[str]:
    """Yield what is wrong with messages in the source: texts that are not constant, and messages with two forms of use.

    JupyterLab finds no translation of a message that is used with a plural in one place and without in another.
    """
    plurals: dict[tuple[str | None, str | None], str | None] = {}
    for message in messages:
        place = f"{message.file}:{message.line}"
        if not message.constant:
            yield f"{place}: the text is not a constant string, so that it cannot be extracted"
        elif plurals.setdefault((message.context, message.id), message.plural) != message.plural:
            yield f"{place}: {message.id!r} is used elsewhere with another plural or without one; give it a context"


def make_template(messages: Iterable[SourceMessage]) -> Catalog:
    """Return the catalog of all messages, without translations."""
    template = Catalog(domain=DOMAIN, charset="utf-8")
    for message in messages:
        if message.constant and message.id is not None:
            texts = (message.id, message.plural) if message.plural is not None else message.id
            template.add(texts, locations=[(message.file, 1)], context=message.context)
    return template


def render(header: str, catalog: Catalog) -> str:
    """Return the text of a .po or .pot file.

    Places are files without lines, so that a change of code elsewhere in a file does not change the translations.
    """
    written = io.BytesIO()
    write_po(written, catalog, omit_header=True, ignore_obsolete=True, sort_by_file=True, include_lineno=False)
    return f"{header.rstrip()}\n\n{written.getvalue().decode().strip()}\n"


def header_of(text: str) -> str:
    """Return the part of a .po file before its first message."""
    return text.partition("\n\n")[0]


def new_header(locale: Locale) -> str:
    """Return the header of a translation that does not exist yet."""
    catalog = Catalog(locale=locale)
    return f"""# {locale.english_name} translation of SatFlow.
msgid ""
msgstr ""
"Project-Id-Version: satflow-ext\\n"
"Language: {locale}\\n"
"Plural-Forms: {catalog.plural_forms}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""


def parse_translation(text: str, language: str) -> Catalog:
    """Return the catalog of a .po file.

    Raises:
        PoFileError: If it is not valid, or has more plural forms than the language.
    """
    return read_po(io.StringIO(text), locale=language, domain=DOMAIN, abort_invalid=True)


def texts_of(message: Message) -> list[str]:
    """Return the translations of a message: one, or one for each plural form of the language. Missing ones are empty."""
    texts = [message.string] if isinstance(message.string, (str, type(None))) else message.string
    return [text or "" for text in texts]


def sources_of(message: Message, count: int) -> list[str]:
    """Return the English text for each of `count` translations: the singular for the first one, and the plural for all others."""
    if isinstance(message.id, str):
        return [message.id]
    singular, plural = message.id
    return [singular if count > 1 else plural, *[plural] * (count - 1)]


def find_placeholders(text: str) -> set[str]:
    """Return the numbers of the placeholders of a text, such as `%1`. `%%` is a percent sign."""
    return {match[1] for match in PLACEHOLDER.finditer(text) if match[1]}


def outer_space(text: str) -> tuple[str, str]:
    """Return the white space at the beginning and the end of a text, which separates it from its neighbors."""
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def find_translation_problems(template: Catalog, translation: Catalog) -> Iterator[str]:
    """Yield what is wrong with a translation: messages that are missing, stale, fuzzy, or not of the same form as the source."""
    known = {(message.id, message.context) for message in template if message.id}
    for message in translation:
        if message.id and (message.id, message.context) not in known:
            yield f"{message.id!r} is stale: it is not in the source"
    for message in template:
        if message.id:
            yield from find_message_problems(message, translation)


def find_message_problems(message: Message, translation: Catalog) -> Iterator[str]:
    """Yield what is wrong with the translation of one message."""
    translated = translation.get(message.id, message.context)
    if translated is None or not all(texts_of(translated)):
        yield f"{message.id!r} is not translated"
        return
    if translated.fuzzy:
        yield f"{message.id!r} is fuzzy: compare the translation with the source, and remove the flag"
    texts = texts_of(translated)
    if isinstance(translated.string, str) != isinstance(message.id, str):
        yield f"{message.id!r} has a plural either in the source or in the translation"
    elif not isinstance(message.id, str) and len(texts) != translation.num_plurals:
        yield f"{message.id!r} has {len(texts)} plural forms, and the language has {translation.num_plurals}"
    for source, text in zip(sources_of(message, len(texts)), texts, strict=False):
        if find_placeholders(source) != find_placeholders(text):
            yield f"{text!r} has other placeholders than {source!r}"
        if outer_space(source) != outer_space(text):
            yield f"{text!r} begins or ends with other white space than {source!r}"


def render_json(translation: Catalog, language: str) -> str:
    """Return the translations as JSON, as jupyterlab_server reads them from a package and JupyterLab loads them."""
    content: dict[str, object] = {
        "": {
            "domain": DOMAIN,
            "language": language.replace("_", "-"),
            "plural_forms": translation.plural_forms,
        }
    }
    for message in translation:
        texts = texts_of(message)
        if message.id and all(texts):
            text = message.id if isinstance(message.id, str) else message.id[0]
            content[f"{message.context}{CONTEXT_DELIMITER}{text}" if message.context else text] = texts
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def translation_path(language: str) -> Path:
    """Return the .po file of a language."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def list_languages() -> list[str]:
    """Return the languages that have a translation."""
    return sorted(path.parts[-3] for path in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def merge(template: Catalog, language: str) -> tuple[str, Catalog]:
    """Return the header of a translation, and its messages: those of the template, with the translations that exist."""
    path = translation_path(language)
    text = path.read_text() if path.exists() else new_header(Locale.parse(language))
    translation = parse_translation(text, language)
    translation.update(template, no_fuzzy_matching=True)
    return header_of(text), translation


def write_translations(template: Catalog, languages: Iterable[str]) -> None:
    """Write the template, and the translations with the messages of the template."""
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_text(render(TEMPLATE_HEADER, template))
    for language in languages:
        header, translation = merge(template, language)
        path = translation_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(header, translation))
        path.with_suffix(".json").write_text(render_json(translation, language))


def find_file_problems(template: Catalog, language: str) -> Iterator[str]:
    """Yield what is wrong with the files of a language."""
    path = translation_path(language)
    try:
        translation = parse_translation(path.read_text(), language)
    except PoFileError as error:
        yield f"{path.relative_to(ROOT)}: {error}"
        return
    for problem in find_translation_problems(template, translation):
        yield f"{path.relative_to(ROOT)}: {problem}"
    compiled = path.with_suffix(".json")
    if not compiled.exists() or compiled.read_text() != render_json(translation, language):
        yield f"{compiled.relative_to(ROOT)} differs from the .po file"


def find_problems(template: Catalog) -> Iterator[str]:
    """Yield what is wrong with the template and the translations."""
    if not TEMPLATE.exists() or TEMPLATE.read_text() != render(TEMPLATE_HEADER, template):
        yield f"{TEMPLATE.relative_to(ROOT)} is not current"
    for language in list_languages():
        yield from find_file_problems(template, language)


def parse_language(name: str) -> str:
    """Return the name of a language as JupyterLab writes it.

    Raises:
        ValueError: If there is no such language.
    """
    try:
        return str(Locale.parse(name))
    except UnknownLocaleError as error:
        raise ValueError(str(error)) from error


def main() -> None:
    """Write or check the files, and list what is wrong with them."""
    parser = ArgumentParser(description="Extract the messages, and merge them into the translations.")
    parser.add_argument("language", nargs="?", type=parse_language, help="a language to add, such as fr_FR")
    parser.add_argument(
        "--check", action="store_true", help="write nothing, and fail if something is not current or complete"
    )
    options = parser.parse_args()
    messages = read_browser_messages() + read_schema_messages()
    template = make_template(messages)
    if not options.check:
        write_translations(template, {*list_languages(), *filter(None, [options.language])})
    problems = [*find_source_problems(messages), *find_problems(template)]
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    if options.check and problems:
        sys.exit("translations: run scripts/translations, and translate what it lists")


if __name__ == "__main__":
    main()
