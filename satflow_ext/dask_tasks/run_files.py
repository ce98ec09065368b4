"""Data files and modules in a flow run's folder that its tasks need on every machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FileContents = dict[str, bytes]
"""Path relative to a folder → content of the file."""


@dataclass(frozen=True)
class RunFiles:
    """Files that must be copied to Dask workers that do not share this machine's folders.

    Args:
        folder: the run's folder, which contains the data files.
        files: relative paths of the data files.
        modules: the folder of modules that are imported only while the flow runs; None if there are none.
    """

    folder: Path
    files: tuple[str, ...] = ()
    modules: Path | None = None

    def read_files(self) -> FileContents:
        """Read the data files."""
        return _read_contents(self.folder, map(Path, self.files))

    def read_modules(self) -> FileContents:
        """Read the sources of the modules."""
        if self.modules is None:
            return {}
        return _read_contents(self.modules, (each.relative_to(self.modules) for each in self.modules.rglob("*.py")))


def _read_contents(folder: Path, paths: Iterable[Path]) -> FileContents:
    return {place.as_posix(): (folder / place).read_bytes() for place in paths}
