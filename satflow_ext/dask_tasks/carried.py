"""What a flow run has in its folder, and its tasks need wherever they run: data files, and modules that they import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Contents = dict[str, bytes]
"""Place below a folder → what is there."""


@dataclass(frozen=True)
class Carried:
    """What has to be on Dask workers that do not share this machine's folders.

    Args:
        folder: of the run, in which data files lie at their places.
        files: those places.
        modules: the folder of modules that are imported only while the flow runs; None where there are none.
    """

    folder: Path
    files: tuple[str, ...] = ()
    modules: Path | None = None

    def file_contents(self) -> Contents:
        """The data files."""
        return _contents(self.folder, map(Path, self.files))

    def module_contents(self) -> Contents:
        """The sources of the modules."""
        if self.modules is None:
            return {}
        return _contents(self.modules, (each.relative_to(self.modules) for each in self.modules.rglob("*.py")))


def _contents(folder: Path, places: Iterable[Path]) -> Contents:
    return {place.as_posix(): (folder / place).read_bytes() for place in places}
