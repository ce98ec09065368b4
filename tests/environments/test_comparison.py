"""Same, compatible, different: what each of them means."""

from __future__ import annotations

import pytest

from satflow_ext.environments.locked_packages import compare_environments
from satflow_ext.models import Distribution, Environment

NO_FILES = "sha256:" + "0" * 64


def locked(python: str = "3.11.4", **versions: str) -> Environment:
    made = tuple(Distribution(name=name, version=v, files=NO_FILES, origin=None) for name, v in versions.items())
    return Environment(
        python=python, implementation="CPython", magic="a70d0d0a", executable="python", distributions=made
    )


@pytest.mark.parametrize(
    ("then", "here", "verdict"),
    [
        ("1.2.3", "1.2.3", "same"),
        ("1.2.3", "1.2.4", "compatible"),
        ("1.2", "1.2.0.post1", "compatible"),
        ("2.1.0+cpu", "2.1.0", "compatible"),
        ("1.2.3", "1.3.0", "different"),
        ("1.2.3", "2.2.3", "different"),
        ("1.2.3", "1!1.2.3", "different"),
        ("2026.8.0", "2026.9.0", "different"),
        ("1.2.3", None, "different"),
        ("what", "ever", "different"),
    ],
)
def test_versions_of_what_the_flow_refers_to(then: str, here: str | None, verdict: str) -> None:
    found = compare_environments(locked(numpy=then), "3.11.4", {"numpy": here} if here else {}, {"numpy"})
    assert found.compatibility == verdict


def test_what_the_flow_does_not_refer_to_is_compatible_and_counted() -> None:
    found = compare_environments(locked(a="1", b="1", c="1"), "3.11.4", {"a": "1", "b": "2", "more": "1"}, {"a"})
    assert found.compatibility == "compatible"
    assert found.to_text() == "  and 2 others"


def test_another_patch_of_python_is_compatible() -> None:
    found = compare_environments(locked(a="1"), "3.11.9", {"a": "1"}, {"a"})
    assert (found.compatibility, found.to_text()) == ("compatible", "  Python 3.11.4 at registration, 3.11.9 here")


def test_the_worst_stands_first() -> None:
    found = compare_environments(
        locked(b="1.1.1", c="1", a="1", d="1"), "3.11.4", {"b": "1.1.2", "c": "2"}, {"b", "c", "d"}
    )
    assert found.to_text().splitlines() == [
        "  c 1 at registration, 2 here",
        "  d 1 at registration, not installed here",
        "  b 1.1.1 at registration, 1.1.2 here",
        "  and 1 other",
    ]
