"""A lock as requirements, digest and Containerfile."""

from __future__ import annotations

import pytest

from satflow_ext.environments import locked_packages
from satflow_ext.errors import CannotRecreate
from satflow_ext.models import Distribution
from tests.environments.locks import distribution, lock, origin

LOCAL = distribution("mine", "0.1", origin("file:///home/me/mine", editable=True))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (distribution("numpy", "2.1.0"), "numpy==2.1.0"),
        (
            distribution("x", where=origin("https://git.example/x", vcs="git", commit="abc")),
            "x @ git+https://git.example/x@abc",
        ),
        (
            distribution("x", where=origin("https://git.example/x", vcs="git", commit="abc", subdirectory="py")),
            "x @ git+https://git.example/x@abc#subdirectory=py",
        ),
        (distribution("x", where=origin("https://a.example/x.whl")), "x @ https://a.example/x.whl"),
        (
            distribution("x", where=origin("https://a.example/x.whl", sha256="12")),
            "x @ https://a.example/x.whl#sha256=12",
        ),
        (LOCAL, None),
        (distribution("x", where=origin("file:///home/me/x.whl", sha256="12")), None),
    ],
)
def test_one_requirement(given: Distribution, line: str | None) -> None:
    assert locked_packages.exact_requirement(given) == line


def test_a_requirements_file_says_what_it_lacks_and_claims_no_hashes() -> None:
    text = locked_packages.requirements_text(lock(distribution("a"), LOCAL))
    assert "\na==1\n" in text
    assert "# mine 0.1 came from file:///home/me/mine" in text
    assert "--hash" not in text


def test_what_cannot_be_had_is_named() -> None:
    with pytest.raises(CannotRecreate, match=r"mine 0\.1 \(editable\)"):
        locked_packages.refuse_unobtainable(lock(distribution("a"), LOCAL))


def test_satflow_itself_may_come_from_a_folder() -> None:
    ours = distribution("satflow-ext", where=origin("file:///src/satflow", editable=True))
    locked_packages.refuse_unobtainable(lock(ours))


def test_digest_names_what_is_built() -> None:
    one = locked_packages.lock_digest(lock(distribution("a"), distribution("b")))
    assert one == locked_packages.lock_digest(lock(distribution("a"), distribution("b")))
    assert one != locked_packages.lock_digest(lock(distribution("a"), distribution("b", "2")))
    assert one != locked_packages.lock_digest(lock(distribution("a"), distribution("b"), python="3.11.99"))


def test_containerfile_has_the_python_of_the_lock_and_no_root() -> None:
    text = locked_packages.containerfile_text(lock(distribution("a"), python="3.11.4"))
    assert "FROM python:3.11.4-slim\n" in text
    assert "--no-deps -r" in text
    assert "USER flow" in text
