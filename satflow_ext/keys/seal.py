"""The seal: a public key and its Ed25519 signature over a message, 96 bytes.

The seal names the key only so that it can be looked up among those that are trusted, where it must be found whole. There is
no name of an algorithm in it: a trusted key is an Ed25519 key and checks in one way. What a message is *for* is signed with
it, so that a seal made for one purpose is worth nothing for another.
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
CHANGED = "It was changed after it was signed: register the flow again, and see who can write to the store."


class Signer:
    """What signs as one user.

    Args:
        private: her private key.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key().public_bytes_raw())

    def seal(self, purpose: bytes, message: bytes) -> bytes:
        """The seal of a message. `purpose` ends with a line feed, and no purpose begins another one."""
        return self.public.raw + self._private.sign(purpose + message)


class TrustedKeys:
    """The public keys whose owners may run code here.

    Args:
        keys: those keys.
        revoked: ids of keys that were trusted once, for the message.
    """

    def __init__(self, keys: Iterable[PublicKey], revoked: Iterable[str] = ()) -> None:
        self.keys = {key.raw: key for key in keys}
        self._revoked = frozenset(revoked)

    def check(self, purpose: bytes, message: bytes, seal: bytes, what: str) -> PublicKey:
        """See that a trusted key sealed the message.

        Args:
            purpose: what it must have been sealed for.
            message: the bytes that were signed.
            seal: as `Signer.seal` made it.
            what: what the message is, to begin a sentence with.

        Raises:
            NotTrusted: the key is none of the trusted ones.
            SignatureWrong: the key did not sign this.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        if len(seal) != SEAL_SIZE:
            raise SignatureWrong(f"{what} has a seal of {len(seal)} bytes, not {SEAL_SIZE}.", fix=CHANGED)
        key = self._known(seal[:RAW_SIZE], what)
        try:
            Ed25519PublicKey.from_public_bytes(key.raw).verify(seal[RAW_SIZE:], purpose + message)
        except InvalidSignature:
            raise SignatureWrong(f"{what} is not what key {key.id} signed.", fix=CHANGED) from None
        return key

    def _known(self, raw: bytes, what: str) -> PublicKey:
        if raw in self.keys:
            return self.keys[raw]
        name = key_id(raw)
        if name in self._revoked:
            raise NotTrusted(
                f"{what} was signed by key {name}, which was revoked here.", fix="Register the flow again."
            )
        trusted = ", ".join(sorted(key.id for key in self.keys.values())) or "none"
        raise NotTrusted(
            f"{what} was signed by key {name}, which is not trusted here (trusted: {trusted}).",
            fix="If you know whose it is: `satflow keys export` there, `satflow keys trust` with that line here.",
        )
