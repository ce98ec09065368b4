"""What two versions' sources and facts say differs, without anything being run."""

from __future__ import annotations

import pytest

from satflow_ext.models import Cell, Notification, Registration, Source, SourceFile, Trigger
from satflow_ext.versions import code_comparison, comparison
from tests.registration import sealed

BEFORE = """
LIMIT = 3

@task
def load(day): return day

@task(retries=2)
def clean(rows): return rows

# keeps what is good
@flow
def etl(days: int = 3):
    loaded = load.map(range(days))
    cleaned = clean.submit(loaded)
    return cleaned
"""


def source(*cells: str, **files: str) -> Source:
    return Source(
        notebook="etl.ipynb",
        commit=None,
        cells=tuple(Cell(file=f"cell-{at}", number=at, text=text) for at, text in enumerate(cells, start=1)),
        files=tuple(SourceFile(path=f"{name}.py", text=text) for name, text in files.items()),
    )


def changed(old: str, new: str, after: str = BEFORE):
    assert old in after
    return source(after.replace(old, new))


def test_code_function_by_function():
    (change,) = comparison.compare_code(source(BEFORE), changed("return rows", "return rows[:LIMIT]"))
    assert (change.name, change.kind, change.change) == ("clean", "function", "changed")
    assert change.diff.splitlines() == [
        "--- clean before",
        "+++ clean after",
        "@@ -1,2 +1,2 @@",
        " @task(retries=2)",
        "-def clean(rows): return rows",
        "+def clean(rows): return rows[:LIMIT]",
    ]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (source(BEFORE), []),
        (source(*BEFORE.split("\n\n")), []),
        (changed("LIMIT = 3", "LIMIT = 4"), [("cells", "statements", "changed")]),
        (changed("# keeps what is good", "# keeps all"), [("etl", "function", "changed")]),
        (changed("def clean(rows): return rows", "class clean: pass"), [("clean", "class", "changed")]),
        (source(BEFORE, "def extra(): pass"), [("extra", "function", "added")]),
        (source(BEFORE, "def load(day): return 0"), [("load", "function", "changed")]),
        (source(BEFORE, tools="def load(): pass"), [("tools.py:load", "function", "added")]),
        (source("this is no Python"), [("cells", "statements", "changed"), ("load", "function", "removed")]),
    ],
    ids=["same", "other cells", "statement", "comment", "class", "added", "redefined", "file", "no python"],
)
def test_each_kind_of_change(after, expected):
    found = [(each.name, each.kind, each.change) for each in comparison.compare_code(source(BEFORE), after)]
    assert found[: len(expected)] == expected
    assert len(found) == len(expected) or expected[-1][2] == "removed"


def rewired(after: Source):
    (change,) = code_comparison.compare_wirings(source(BEFORE), after)
    return change


def test_calls_as_the_source_has_them():
    assert code_comparison.find_wirings(source(BEFORE))["etl"].calls == ["load.map", "clean.submit ← load"]


def test_a_task_added():
    change = rewired(changed("    return cleaned", "    save(cleaned, load(1))\n    return 0", BEFORE + SAVE))
    assert change.after == ("load.map", "clean.submit ← load", "load", "save ← clean, load")
    assert (change.added, change.removed, change.rewired) == (("save",), (), True)


def test_a_task_removed():
    change = rewired(changed("clean.submit(loaded)", "loaded"))
    assert (change.after, change.removed, change.rewired) == (("load.map",), ("clean",), False)


def test_a_task_rewired():
    change = rewired(changed("clean.submit(loaded)", "clean.submit(days)"))
    assert (change.added, change.removed, change.rewired) == ((), (), True)
    assert change.after == ("load.map", "clean.submit")


def test_loops_options_and_imported_tasks():
    body = """
    rows = []
    for day in range(days):
        rows += [load.with_options(retries=1).submit(day)]
    for row in rows:
        stored = store.submit(row)
    total: int = clean(stored)
"""
    change = rewired(source(BEFORE.split("    loaded =")[0] + body))
    assert change.after == ("load.submit", "store.submit ← load", "clean ← store")


def test_what_cannot_be_told_is_said():
    change = rewired(changed("    return cleaned", "    return steps[0](getattr(tools, name)(cleaned))"))
    assert change.before == change.after
    assert change.unsaid == (
        "uses getattr()",
        "calls getattr(tools, name), which is only known at run time",
        "calls steps[0], which is only known at run time",
    )


def test_parameters_by_their_schema():
    before = {"properties": {"n": {"type": "integer", "default": 3}, "gone": {"type": "string"}}}
    after = {
        "properties": {
            "n": {"type": "integer", "default": 4},
            "when": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
            "rows": {"type": "array", "items": {"$ref": "#/definitions/Row"}},
        }
    }
    assert [(each.name, each.before, each.after) for each in comparison.compare_parameters(before, after)] == [
        ("n", "integer = 3", "integer = 4"),
        ("when", None, "date or null"),
        ("rows", None, "array of Row"),
        ("gone", "string", None),
    ]


def test_versions_whose_source_says_nothing():
    before, after = sealed.manifest(b"1"), sealed.manifest(b"2", version=4, exact="other")
    assert "no source was recorded" in (comparison.compare_versions(before, after).unexplained or "")
    assert comparison.summarize_diff(comparison.compare_versions(before, before)) == "nothing"


def test_notifications_and_triggers_are_compared_one_by_one():
    late, overdue = Notification(on="late", block="a/b"), Notification(on="overdue", block="a/b", hours=26)
    before, after = (
        sealed.manifest(b"1", chosen=Registration(name="nightly", notify=notify, trigger=trigger))
        for notify, trigger in (((late,), ()), ((late, overdue), (Trigger(files="/data/*", parameter="path"),)))
    )
    assert [(each.name, each.before, each.after) for each in comparison.compare_choices(before, after)] == [
        ("notify.overdue=a/b hours=26", None, "on"),
        ("trigger.files=/data/* parameter=path", None, "on"),
    ]


SAVE = """
@task
def save(*rows): return rows
"""
