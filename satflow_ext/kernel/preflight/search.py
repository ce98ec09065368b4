"""Search for all findings about a flow, shared by the pre-flight report and by registration."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePath

from satflow_ext.kernel.flow_discovery import Shell
from satflow_ext.kernel.preflight.findings import extract_texts, find_problems
from satflow_ext.kernel.reachable_objects import ReachedObject
from satflow_ext.kernel.side_effects import find_side_effects
from satflow_ext.models import Finding


def find_findings(
    everything: Sequence[ReachedObject],
    shell: Shell | None,
    modules: frozenset[str],
    folder: Path,
    *,
    included: Container[str] = (),
    texts: int | None = None,
) -> list[Finding]:
    """Find live objects, credentials, cells that change the process, and named files that are not included.

    Args:
        everything: all objects that the flow reaches.
        shell: the shell whose cells are checked; None in plain Python.
        modules: top-level modules that the flow refers to.
        folder: the notebook's folder.
        included: paths of the included data files, relative to it.
        texts: the maximum number of texts to compare with the shapes of credentials (default: all).
    """
    return [
        *find_problems(everything, texts=texts),
        *find_side_effects(shell, modules),
        *find_missing_files(everything, folder, included),
    ]


MAX_TEXTS = 2000
"""Maximum number of texts to check."""
MAX_PATH_LENGTH = 250
CODE_SUFFIXES = frozenset({".py", ".ipynb"})
"""Suffixes of files that are packed as code, or are the notebook."""
MAX_FINDINGS = 20


def find_missing_files(
    everything: Iterable[ReachedObject], folder: Path, included: Container[str]
) -> Iterator[Finding]:
    """Find texts and paths that name files in the notebook's folder.

    Args:
        everything: all objects that the flow reaches.
        folder: the notebook's folder.
        included: paths of the included files, relative to it.
    """
    texts = islice(filter(_may_be_path, _possible_paths(everything)), MAX_TEXTS)
    names = dict.fromkeys(PurePath(text).as_posix() for text in texts)
    left = (name for name in names if name not in included and _is_file(folder, name))
    for name in islice(left, MAX_FINDINGS):
        yield Finding(
            kind="file",
            level="warning",
            where=name,
            message="is in the notebook's folder and is named by the flow, but is not packed with it",
            fix=f"Include it (--include {name}) if the flow reads it.",
        )


def _possible_paths(everything: Iterable[ReachedObject]) -> Iterator[str]:
    for reached in everything:
        if isinstance(reached.value, PurePath):
            yield str(reached.value)
        else:
            yield from (text for _, text in extract_texts(reached))


def _may_be_path(text: str) -> bool:
    return 0 < len(text) <= MAX_PATH_LENGTH and "\0" not in text and "\n" not in text


def _is_file(folder: Path, name: str) -> bool:
    path = PurePath(name)
    if path.is_absolute() or ".." in path.parts or path.suffix in CODE_SUFFIXES:
        return False
    try:
        return (folder / path).is_file()
    except OSError:  # the file system does not allow this name
        return False
