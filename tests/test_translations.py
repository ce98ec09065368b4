"""The check of the translations: what it extracts, and each kind of mistake in a translation."""

from __future__ import annotations

import re

import pytest
from babel.messages import Catalog
from babel.messages.pofile import PoFileError
from hypothesis import assume, given
from hypothesis import strategies as st

from scripts import translations
from scripts.translations import SourceMessage

TEXT = st.text(st.sampled_from('abä %1\n"\\'), min_size=1, max_size=12).map(lambda text: text.strip() or "a")
FORMS = st.tuples(TEXT, TEXT)
MESSAGES = st.lists(
    st.builds(
        SourceMessage,
        context=st.none() | st.just("menu"),
        id=TEXT,
        plural=st.none() | TEXT,
        file=st.sampled_from(["src/a.ts", "src/b.tsx"]),
        line=st.integers(1, 99),
        constant=st.just(True),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda message: (message.context, message.id),
)
HEADER = translations.new_header(translations.Locale.parse("de_DE"))


def message(text: str, plural: str | None = None, *, line: int = 1, constant: bool = True) -> SourceMessage:
    return SourceMessage(None, text, plural, "src/a.ts", line, constant)


def translated(messages: list[SourceMessage]) -> tuple[Catalog, str]:
    """A template, and the .po file of a language whose texts are those of the source."""
    template = translations.make_template(messages)
    catalog = translations.parse_translation(HEADER, "de_DE")
    catalog.update(template)
    for each in catalog:
        if each.id:
            each.string = each.id
    return template, translations.render(HEADER, catalog)


def problems(template: Catalog, text: str) -> list[str]:
    return list(translations.find_translation_problems(template, translations.parse_translation(text, "de_DE")))


@given(MESSAGES)
def test_a_complete_translation_has_no_problems(messages):
    template, text = translated(messages)
    assert problems(template, text) == []


@given(MESSAGES)
def test_a_file_stays_the_same_when_nothing_changes(messages):
    _, text = translated(messages)
    again = translations.parse_translation(text, "de_DE")
    assert translations.render(translations.header_of(text), again) == text


@given(MESSAGES, st.data())
def test_a_message_without_translation_is_a_problem(messages, data):
    template, text = translated(messages[1:])
    missing = messages[0]
    assume(not any(each.id == missing.id for each in messages[1:]))
    template.add((missing.id, missing.plural) if missing.plural is not None else missing.id, context=missing.context)
    (found,) = problems(template, text)
    assert found.endswith("is not translated")


@given(MESSAGES)
def test_a_message_that_the_source_no_longer_has_is_a_problem(messages):
    _, text = translated(messages)
    (found,) = problems(translations.make_template(messages[1:]), text)
    assert "is stale" in found


@given(FORMS, st.integers(0, 1), st.sampled_from([" %7", "%2", "%"]))
def test_each_form_has_the_placeholders_of_its_source(forms, form, added):
    template, text = translated([message("%1 left of " + forms[0], "%1 left of " + forms[1])])
    catalog = translations.parse_translation(text, "de_DE")
    (only,) = [each for each in catalog if each.id]
    changed = list(only.string)
    changed[form] = changed[form].replace("%1", "one") + added
    assume(translations.find_placeholders(changed[form]) != translations.find_placeholders(only.id[form]))
    only.string = tuple(changed)
    found = problems(template, translations.render(HEADER, catalog))
    assert any("has other placeholders than" in each for each in found)


def test_a_percent_sign_is_not_a_placeholder():
    assert translations.find_placeholders("%1 %, 100 %%2") == {"1"}


@pytest.mark.parametrize("line", ['msgstr[2] "zu viel"', 'msgstr[9] "zu viel"'])
def test_a_plural_form_that_the_language_does_not_have_is_a_problem(line):
    _, text = translated([message("%1 run", "%1 runs")])
    with pytest.raises(PoFileError):
        translations.parse_translation(f"{text.rstrip()}\n{line}\n", "de_DE")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("msgid", "#, fuzzy\nmsgid"), "is fuzzy"),
        (('msgstr[1] "%1 runs"', 'msgstr[1] ""'), "is not translated"),
        (('msgid_plural "%1 runs"\nmsgstr[0] "%1 run"\nmsgstr[1] "%1 runs"', 'msgstr "%1 run"'), "has a plural either"),
        (('msgstr[0] "%1 run"', 'msgstr[0] "%1 run "'), "other white space"),
    ],
)
def test_mistakes_in_the_file_of_a_language(change, problem):
    template, text = translated([message("%1 run", "%1 runs")])
    head, _, messages = text.partition("\n\n")
    changed = messages.replace(*change, 1)
    assert changed != messages
    assert any(problem in each for each in problems(template, f"{head}\n\n{changed}"))


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([message("a", constant=False, line=7)], r"src/a\.ts:7: .* cannot be extracted"),
        ([message("a"), message("a", "b", line=8)], r"src/a\.ts:8: .* another plural or without one"),
    ],
)
def test_messages_that_cannot_be_translated(messages, problem):
    (found,) = translations.find_source_problems(messages)
    assert re.match(problem, found)


def test_constant_texts_of_calls_are_messages(tmp_path):
    (tmp_path / "view.tsx").write_text(
        """
        const a = <p title={trans.__('one')}>{trans._n('%1 run', '%1 runs', n)}</p>;
        const b = [trans.__('two ' + `halves`), trans._p('verb', 'Run')];
        const c = [trans.__(`of ${name}`), trans._p(kind, 'Run'), __.fork('no message')];
        """
    )
    found = translations.read_browser_messages(str(tmp_path))
    assert [(each.context, each.id, each.plural, each.line) for each in found if each.constant] == [
        (None, "one", None, 2),
        (None, "%1 run", "%1 runs", 2),
        (None, "two halves", None, 3),
        ("verb", "Run", None, 3),
    ]
    assert [each.line for each in found if not each.constant] == [4, 4]


def test_texts_of_the_settings_are_messages():
    assert ("toolbar", "Register flow…") in {(each.context, each.id) for each in translations.read_schema_messages()}
