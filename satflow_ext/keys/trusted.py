"""The keys that this machine trusts: the user's own keyring, and the keys in `SATFLOW_TRUSTED_KEYS`."""

from __future__ import annotations

from pathlib import Path

from satflow_ext.errors import KeysRefused
from satflow_ext.keys import files
from satflow_ext.keys.keyring import Keyring
from satflow_ext.keys.public import KIND, PublicKey, parse_all
from satflow_ext.keys.seal import TrustedKeys
from satflow_ext.settings import Settings


def trusted(settings: Settings) -> TrustedKeys:
    """Return the keys whose owners may run code here, without keys that are revoked in the keyring.

    Raises:
        KeysRefused: a key file is missing, cannot be read, or can be changed by other users.
    """
    entries = Keyring(settings).entries()
    revoked = {entry.public.id for entry in entries if entry.revoked_at}
    known = [entry.public for entry in entries] + list(from_settings(settings))
    return TrustedKeys([key for key in known if key.id not in revoked], revoked)


def from_settings(settings: Settings) -> tuple[PublicKey, ...]:
    """Return the keys in `SATFLOW_TRUSTED_KEYS`.

    Raises:
        KeysRefused: as for `trusted`.
    """
    return told(settings.trusted_keys) if settings.trusted_keys else ()


def told(words: str) -> tuple[PublicKey, ...]:
    """Parse keys from lines of text, or from the file with that path.

    Raises:
        KeysRefused: as for `trusted`.
    """
    if words.lstrip().startswith((KIND, "#")):
        return parse_all(words)
    path = Path(words).expanduser()
    try:
        return parse_all(files.read_public(path).decode())
    except UnicodeDecodeError:
        raise KeysRefused(f"{path} is not a text file.", fix="Give a file with public keys.") from None
