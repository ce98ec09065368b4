"""Keys: the signatures of flows, and the keys whose owners may run code on this machine."""

from __future__ import annotations

from satflow_ext.keys.keyring import Keyring, TrustedKey, user_name
from satflow_ext.keys.public import PublicKey
from satflow_ext.keys.seal import SEAL_SIZE, Signer, TrustedKeys
from satflow_ext.keys.trusted import read_trusted_keys

__all__ = ["SEAL_SIZE", "Keyring", "PublicKey", "Signer", "TrustedKey", "TrustedKeys", "read_trusted_keys", "user_name"]
