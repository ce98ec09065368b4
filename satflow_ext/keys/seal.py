"""The seal: a public key and its Ed25519 signature over a message, 96 bytes.

The seal contains the key only for the lookup among the trusted keys, where the whole key must be found. It does not contain the
name of an algorithm: a trusted key is an Ed25519 key and verifies in one way. The purpose of a message is signed together with
the message, so that a seal for one purpose is invalid for another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from satflow_ext.errors import NotTrusted, SignatureWrong
from satflow_ext.keys.public import RAW_SIZE, PublicKey, key_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNATURE_SIZE = 64
"""Bytes of an Ed25519 signature (RFC 8032, section 5.1.6)."""
SEAL_SIZE = RAW_SIZE + SIGNATURE_SIZE
CHANGED_FIX = "It was changed after it was signed: register the flow again, and check who can write to the store."


class Signer:
    """The signer of one user.

    Args:
        private: the user's private key.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_key = PublicKey(private.public_key().public_bytes_raw())

    def seal(self, purpose: bytes, message: bytes) -> bytes:
        """Seal a message. `purpose` ends with a line feed, and no purpose is a prefix of another one."""
        return self.public_key.raw + self._private.sign(purpose + message)


class TrustedKeys:
    """The public keys whose owners may run code here.

    Args:
        keys: the trusted keys.
        revoked: ids of formerly trusted keys, for the error message.
    """

    def __init__(self, keys: Iterable[PublicKey], revoked: Iterable[str] = ()) -> None:
        self.keys = {key.raw: key for key in keys}
        self._revoked = frozenset(revoked)

    def verify(self, purpose: bytes, message: bytes, seal: bytes, subject: str) -> PublicKey:
        """Verify that a trusted key sealed the message.

        Args:
            purpose: the purpose that it must have been sealed for.
            message: the bytes that were signed.
            seal: the result of `Signer.seal`.
            subject: a name of the message, as the beginning of a sentence.

        Raises:
            NotTrusted: the key is not trusted.
            SignatureWrong: the key did not sign this.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        if len(seal) != SEAL_SIZE:
            raise SignatureWrong(f"{subject} has a seal of {len(seal)} bytes, not {SEAL_SIZE}.", fix=CHANGED_FIX)
        key = self._find_key(seal[:RAW_SIZE], subject)
        try:
            Ed25519PublicKey.from_public_bytes(key.raw).verify(seal[RAW_SIZE:], purpose + message)
        except InvalidSignature:
            raise SignatureWrong(f"{subject} is not what key {key.id} signed.", fix=CHANGED_FIX) from None
        return key

    def _find_key(self, raw: bytes, subject: str) -> PublicKey:
        if raw in self.keys:
            return self.keys[raw]
        name = key_id(raw)
        if name in self._revoked:
            raise NotTrusted(
                f"{subject} was signed by key {name}, which was revoked here.", fix="Register the flow again."
            )
        trusted = ", ".join(sorted(key.id for key in self.keys.values())) or "none"
        raise NotTrusted(
            f"{subject} was signed by key {name}, which is not trusted here (trusted: {trusted}).",
            fix="If you trust its owner: run `satflow keys export` there, and `satflow keys trust` with that line here.",
        )
