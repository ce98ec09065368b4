"""One user's keys on disk: the private one that signs, and the public ones that are trusted.

    STATE_DIR/keys/              0700
        signing.pem              0600, PKCS #8: signs what this user registers
        trusted/ID.json          0600, one public key, who added it, when, and when it was revoked

A public key is trusted *before* its private key can sign anything, and stays trusted after a rotation. So even if a process is
killed in between, nothing is ever signed that this user's own runs would refuse.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext.errors import KeysRefused
from satflow_ext.keys import files
from satflow_ext.keys.public import ID_PATTERN, PublicKey, parse_key
from satflow_ext.keys.seal import Signer
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class TrustedKey(BaseModel):
    """A public key in the keyring. `key` is its line of text; `revoked_at` is the time of its revocation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    added_at: datetime
    added_by: str
    own: bool
    revoked_at: datetime | None = None

    @property
    def public_key(self) -> PublicKey:
        """The parsed key."""
        return parse_key(self.key)


class Keyring:
    """The keys of one user. Reading creates no files.

    Args:
        settings: contain the folder of the keys.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state_dir / "keys"
        self._private = self._folder / "signing.pem"
        self._trusted = self._folder / "trusted"

    def get_signer(self) -> Signer:
        """Return this user's signer, and create the key on first use.

        Raises:
            KeysRefused: other users have access to the key, or it cannot be created or read.
        """
        found = self.find_signer()
        if found is not None:
            return found
        with self._lock_keyring():
            return self.find_signer() or self._create_signer()

    def find_signer(self) -> Signer | None:
        """Return this user's signer, None if no key was created on this machine.

        Raises:
            KeysRefused: other users have access to the key, or it cannot be read.
        """
        if not self._folder_exists(self._folder):
            return None
        content = files.read_private(self._private)
        return None if content is None else Signer(_load_private_key(content, self._private))

    def rotate(self) -> Signer:
        """Sign with a new key from now on. The old one stays trusted until it is revoked.

        Raises:
            KeysRefused: other users have access to the keys, or they cannot be written.
        """
        with self._lock_keyring():
            return self._create_signer()

    def public_key(self) -> PublicKey | None:
        """Return the public half of the current signing key; None if there is no key yet.

        Raises:
            KeysRefused: other users have access to the key, or it cannot be read.
        """
        found = self.find_signer()
        if found is None:
            return None
        return next(
            (e.public_key for e in self.list_keys() if e.public_key.raw == found.public_key.raw), found.public_key
        )

    def list_keys(self) -> tuple[TrustedKey, ...]:
        """Return all public keys in the keyring, including revoked ones, oldest first.

        Raises:
            KeysRefused: other users can change them, or one cannot be read.
        """
        if not self._folder_exists(self._folder) or not self._folder_exists(self._trusted):
            return ()
        found = [_read_entry(path) for path in self._trusted.iterdir() if not path.name.startswith(".")]
        return tuple(sorted(found, key=lambda entry: (entry.added_at, entry.key)))

    def trust(self, key: PublicKey) -> TrustedKey:
        """Trust a key from now on, even one that was revoked.

        Raises:
            KeysRefused: it cannot be written.
        """
        with self._lock_keyring():
            known = next((entry for entry in self.list_keys() if entry.public_key.raw == key.raw), None)
            return self._write_entry(_new_entry(key, own=known is not None and known.own))

    def revoke(self, key_id: str) -> TrustedKey:
        """Stop trusting a key. Flows that it signed no longer run here.

        Raises:
            KeysRefused: there is no key with that id, or it is the current signing key.
        """
        with self._lock_keyring():
            entry = next((entry for entry in self.list_keys() if entry.public_key.id == key_id), None)
            if entry is None:
                raise KeysRefused(f"No key has the id {key_id!r}.", fix="See `satflow keys list`.")
            signer = self.find_signer()
            if signer is not None and signer.public_key.raw == entry.public_key.raw:
                raise KeysRefused(f"Key {key_id} is your signing key.", fix="First run `satflow keys rotate`.")
            return self._write_entry(entry.model_copy(update={"revoked_at": _now()}))

    def _create_signer(self) -> Signer:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        private = Ed25519PrivateKey.generate()
        signer = Signer(private)
        self._write_entry(
            _new_entry(PublicKey(signer.public_key.raw, f"{user_name()}@{socket.gethostname()}"[:64]), own=True)
        )
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files.replace_private(self._private, pem)
        return signer

    def _write_entry(self, entry: TrustedKey) -> TrustedKey:
        files.ensure_private_folder(self._trusted)
        content = entry.model_dump_json(indent=2).encode()
        files.replace_private(self._trusted / f"{entry.public_key.id}.json", content + b"\n")
        return entry

    def _folder_exists(self, folder: Path) -> bool:
        """Return whether the folder exists. A folder to which other users have access is refused."""
        return os.path.lexists(folder) and bool(files.ensure_private_folder(folder))

    @contextmanager
    def _lock_keyring(self) -> Iterator[None]:
        """Hold a lock, so that no other process changes the keyring."""
        files.ensure_private_folder(self._folder)
        descriptor = _acquire_lock(self._folder / ".lock")
        try:
            yield
        finally:
            os.close(descriptor)


def _acquire_lock(path: Path) -> int:
    descriptor = None
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if descriptor is not None:
            os.close(descriptor)
        raise KeysRefused(f"{path} cannot be locked: {error.strerror}.", fix="Set SATFLOW_STATE_DIR.") from None
    return descriptor


def _read_entry(path: Path) -> TrustedKey:
    try:
        entry = TrustedKey.model_validate_json(files.read_private(path) or b"")
    except ValidationError:
        raise KeysRefused(f"{path} is not a valid key file.", fix="Remove it, and trust the key again.") from None
    if not ID_PATTERN.fullmatch(path.stem) or entry.public_key.id != path.stem:
        raise KeysRefused(
            f"{path} contains key {entry.public_key.id}, which does not match its name.", fix="Remove it."
        )
    return entry


def _load_private_key(pem: bytes, path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeysRefused(
            f"{path} contains no Ed25519 private key.", fix="Move it away; `satflow keys rotate` creates one."
        )
    return private


def _new_entry(key: PublicKey, *, own: bool) -> TrustedKey:
    return TrustedKey(key=key.text, added_at=_now(), added_by=user_name(), own=own)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def user_name() -> str:
    """Return this user's name on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
