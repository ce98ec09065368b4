"""Wheels to install."""

from __future__ import annotations

import zipfile
from pathlib import Path


def wheel(folder: Path, name: str = "tiny", version: str = "1.2", body: str = "x = 1\n") -> Path:
    """A pure Python wheel with one module and one script."""
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", body)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:x\n")
        rows = [f"{each.filename},sha256={'0' * 43},{each.file_size}" for each in file.infolist()]
        file.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")
    return path
