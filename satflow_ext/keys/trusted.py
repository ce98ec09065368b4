"""Whom this machine trusts: the user's own keyring, and what `SATFLOW_TRUSTED_KEYS` adds to it."""

from __future__ import annotations

from pathlib import Path

from satflow_ext.errors import KeysRefused
from satflow_ext.keys import files
from satflow_ext.keys.keyring import Keyring
from satflow_ext.keys.public import KIND, PublicKey, parse_all
from satflow_ext.keys.seal import TrustedKeys
from satflow_ext.settings import Settings


def trusted(settings: Settings) -> TrustedKeys:
    """The keys whose owners may run code here. A key that was revoked in the keyring is not among them, wherever else it is.

    Raises:
        KeysRefused: a file with keys is missing, cannot be read, or could be changed by others.
    """
    entries = Keyring(settings).entries()
    revoked = {entry.public.id for entry in entries if entry.revoked_at}
    known = [entry.public for entry in entries] + list(from_settings(settings))
    return TrustedKeys([key for key in known if key.id not in revoked], revoked)


def from_settings(settings: Settings) -> tuple[PublicKey, ...]:
    """The keys that `SATFLOW_TRUSTED_KEYS` names.

    Raises:
        KeysRefused: as for `trusted`.
    """
    return told(settings.trusted_keys) if settings.trusted_keys else ()


def told(words: str) -> tuple[PublicKey, ...]:
    """The keys of some lines of text, or of the file that the words name.

    Raises:
        KeysRefused: as for `trusted`.
    """
    if words.lstrip().startswith((KIND, "#")):
        return parse_all(words)
    path = Path(words).expanduser()
    try:
        return parse_all(files.read_public(path).decode())
    except UnicodeDecodeError:
        raise KeysRefused(f"{path} is no text.", fix="Give a file with public keys.") from None
