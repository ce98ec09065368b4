"""One side of a flow that crosses Pythons: `python -m tests.runtime.python_side pack|load FOLDER…`, under any interpreter.

`pack` leaves what a store would have: a manifest and a content with a real flow in it, signed. `load` does what a flow run does
with each such folder and prints what came of it, a JSON list of the value or the error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cloudpickle
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prefect import flow

from satflow_ext.errors import SatflowError
from satflow_ext.keys import Signer
from satflow_ext.runtime import load, loader
from tests.registration import sealed

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))


def pack(folder: Path) -> None:
    offset = 40

    @flow
    def crosses(number: int = 2):
        return number + offset

    content = sealed.content(SIGNER, cloudpickle.dumps(crosses))
    folder.mkdir()
    (folder / loader.CONTENT_FILE).write_bytes(content)
    (folder / loader.MANIFEST_FILE).write_bytes(sealed.manifest(content).encode(SIGNER))


def loaded(folder: Path) -> dict[str, object]:
    try:
        return {"value": load.load_pulled_flow(folder).fn()}
    except SatflowError as error:
        return {"error": type(error).__name__, "message": error.message}


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[2:]]
    if sys.argv[1] == "pack":
        pack(*folders)
    else:
        sys.stdout.write(json.dumps([loaded(folder) for folder in folders]))
