"""Formatting of sizes."""

from __future__ import annotations

MIB = 1024**2


def size_text(size: int) -> str:
    """Format bytes in MiB, or small sizes in KiB: `3.1 MiB`, `12.0 KiB`."""
    return f"{size / MIB:,.1f} MiB" if size >= MIB / 10 else f"{size / 1024:.1f} KiB"
