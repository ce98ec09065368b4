"""The keys that this machine trusts: the user's own keyring, and the keys in `SATFLOW_TRUSTED_KEYS`."""

from __future__ import annotations

from pathlib import Path

from satflow_ext.errors import KeysRefused
from satflow_ext.keys import files
from satflow_ext.keys.keyring import Keyring
from satflow_ext.keys.public import KEY_PREFIX, PublicKey, parse_keys
from satflow_ext.keys.seal import TrustedKeys
from satflow_ext.settings import Settings


def read_trusted_keys(settings: Settings) -> TrustedKeys:
    """Return the keys whose owners may run code here, without keys that are revoked in the keyring.

    Raises:
        KeysRefused: a key file is missing, cannot be read, or can be changed by other users.
    """
    entries = Keyring(settings).list_keys()
    revoked = {entry.public_key.id for entry in entries if entry.revoked_at}
    known = [entry.public_key for entry in entries] + list(read_settings_keys(settings))
    return TrustedKeys([key for key in known if key.id not in revoked], revoked)


def read_settings_keys(settings: Settings) -> tuple[PublicKey, ...]:
    """Return the keys in `SATFLOW_TRUSTED_KEYS`.

    Raises:
        KeysRefused: as for `trusted`.
    """
    return parse_or_read_keys(settings.trusted_keys) if settings.trusted_keys else ()


def parse_or_read_keys(text_or_path: str) -> tuple[PublicKey, ...]:
    """Parse keys from lines of text, or from the file with that path.

    Raises:
        KeysRefused: as for `trusted`.
    """
    if text_or_path.lstrip().startswith((KEY_PREFIX, "#")):
        return parse_keys(text_or_path)
    path = Path(text_or_path).expanduser()
    try:
        return parse_keys(files.read_public(path).decode())
    except UnicodeDecodeError:
        raise KeysRefused(f"{path} is not a text file.", fix="Give a file with public keys.") from None
