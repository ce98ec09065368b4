"""The seal, bit by bit."""

from __future__ import annotations

import pytest

from satflow_ext.errors import NotTrusted, SignatureWrong
from satflow_ext.keys import SEAL_SIZE, TrustedKeys
from tests.registration import sealed

ANNA, BEN = sealed.signer(), sealed.signer()
SEAL = ANNA.seal(b"purpose\n", b"message")


def check(seal=SEAL, purpose=b"purpose\n", message=b"message", trusted=None):
    return (trusted or sealed.trusting(BEN, ANNA)).verify(purpose, message, seal, "It")


def test_a_seal_tells_whose_it_is():
    assert len(SEAL) == SEAL_SIZE == 96
    assert check() == ANNA.public_key


def test_no_bit_of_it_may_differ():
    for bit in range(len(SEAL) * 8):
        seal = bytearray(SEAL)
        seal[bit // 8] ^= 1 << bit % 8
        with pytest.raises((SignatureWrong, NotTrusted)):
            check(bytes(seal))


@pytest.mark.parametrize("seal", [b"", SEAL[:32], SEAL[:-1], SEAL + b"\0", SEAL * 2], ids=len)
def test_a_seal_of_another_length_is_none(seal):
    with pytest.raises(SignatureWrong, match=f"It has a seal of {len(seal)} bytes, not 96"):
        check(seal)


@pytest.mark.parametrize(
    "changes", [{"purpose": b"another\n"}, {"message": b"massage"}, {"purpose": b"", "message": b""}]
)
def test_another_purpose_or_message_is_not_sealed(changes):
    with pytest.raises(SignatureWrong, match=f"It is not what key {ANNA.public_key.id} signed") as caught:
        check(**changes)
    assert "changed after it was signed" in caught.value.fix


def test_who_is_not_trusted_is_named_with_those_who_are():
    with pytest.raises(
        NotTrusted,
        match=rf"signed by key {ANNA.public_key.id}, which is not trusted here \(trusted: {BEN.public_key.id}\)",
    ):
        check(trusted=sealed.trusting(BEN))
    with pytest.raises(NotTrusted, match=r"\(trusted: none\)"):
        check(trusted=TrustedKeys([]))


def test_who_was_revoked_is_told_as_such():
    with pytest.raises(NotTrusted, match="which was revoked here"):
        check(trusted=TrustedKeys([BEN.public_key], revoked=[ANNA.public_key.id]))
