"""The sources of declared secrets on the machine where the flow runs: environment, mounted files, Prefect blocks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

from satflow_ext.errors import SecretsMissing
from satflow_ext.settings import Settings

MAX_BYTES = 64 * 1024
"""Maximum bytes of a value. Linux limits an environment variable to 128 KiB."""


def find_secrets(names: Iterable[str], settings: Settings) -> dict[str, str]:
    """Return the value of each secret from the first source that has it.

    Args:
        names: the registered names of the secrets.
        settings: contain the folder of mounted files.

    Raises:
        SecretsMissing: some were not found; the message lists their names and the sources.
    """
    places: tuple[Callable[[str], str | None], ...] = (
        lambda name: os.environ.get(name),
        lambda name: _read_file(settings.secrets_dir / name),
        _read_block,
    )
    looked = {name: next((value for place in places if (value := place(name))), None) for name in names}
    if missing := [name for name, value in looked.items() if value is None]:
        blocks = ", ".join(block_name(name) for name in missing)
        raise SecretsMissing(
            f"This flow run needs {', '.join(missing)}, found neither in the environment of the flow run, "
            f"nor as a file in {settings.secrets_dir}, nor as a Prefect Secret block ({blocks}).",
            fix="Provide it to the Prefect worker in one of these ways, then run again.",
        )
    return {name: value for name, value in looked.items() if value is not None}


def block_name(name: str) -> str:
    """Return the name of the Prefect Secret block for a secret: `AWS_KEY` → `aws-key`, the characters that Prefect allows."""
    return name.lower().replace("_", "-").strip("-")


def _read_file(file: Path) -> str | None:
    """Read a mounted file without the line end that editors add."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError:
        return None
    if len(data) > MAX_BYTES or b"\0" in data:
        raise SecretsMissing(
            f"{file} cannot be used as a secret: it is larger than {MAX_BYTES} bytes, or binary.",
            fix="Store it as text.",
        )
    return data.decode("utf-8", "surrogateescape").removesuffix("\n").removesuffix("\r")


def _read_block(name: str) -> str | None:
    import httpx
    from prefect.blocks.system import Secret

    try:
        block = cast("Secret[str]", Secret.load(block_name(name), _sync=True))  # type: ignore[call-arg]  # Prefect adds it
    except (ValueError, httpx.HTTPError):  # no block of that name, or the API does not return it
        return None
    value = block.value.get_secret_value()
    return value if isinstance(value, str) else json.dumps(value)
