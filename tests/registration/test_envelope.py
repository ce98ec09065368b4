"""The envelope: what is checked before anything of a content may be unpickled, and in which order."""

from __future__ import annotations

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from satflow_ext.errors import ContentRefused, NotTrusted, PackageMismatch, PythonMismatch, SignatureWrong
from satflow_ext.keys import SEAL_SIZE
from satflow_ext.models import Distribution, Environment
from satflow_ext.versions import envelope, packing_environment
from tests.registration import sealed

ANNA, EVE = sealed.signer(), sealed.signer()
TRUSTED = sealed.trusting(ANNA)
BODY = b"not a pickle, and never read as one"


def opened(content, *, trusted=TRUSTED, reader=sealed.HERE, **pins):
    return envelope.open_content(content, sealed.pinned(content, **pins), trusted, reader)


def header_length(content):
    (length,) = envelope.LENGTH_FORMAT.unpack(content[len(envelope.MAGIC_BYTES) : envelope.HEADER_START])
    return length


def test_what_was_sealed_in_a_file_comes_out(tmp_path):
    (tmp_path / "body").write_bytes(BODY)
    digest = envelope.write_envelope(tmp_path / "body", sealed.header(BODY), ANNA, tmp_path / "content")
    whole = (tmp_path / "content").read_bytes()
    assert digest == f"sha256:{hashlib.sha256(whole).hexdigest()}"
    found = opened(whole, digest=digest)
    assert (found.body, found.header, found.differences) == (BODY, sealed.header(BODY), ())


def test_the_format_is_the_one_that_is_written_down():
    """Read here without SatFlow: what was registered must be readable for whoever comes later."""
    content = sealed.content(ANNA, BODY)
    mark, rest = content[:9], content[9:]
    length = int.from_bytes(rest[:4], "big")
    encoded, key, signature, body = (
        rest[4:][:length],
        rest[4:][length:][:32],
        rest[4:][length + 32 :][:64],
        rest[100 + length :],
    )
    assert (mark, body) == (b"SATFLOW1\n", BODY)
    assert json.loads(encoded)["sha256"] == f"sha256:{hashlib.sha256(BODY).hexdigest()}"
    Ed25519PublicKey.from_public_bytes(key).verify(signature, b"satflow content 1\n" + encoded)


def test_an_empty_body_and_one_of_any_bytes():
    for body in (b"", bytes(range(256)) * 3):
        assert opened(sealed.content(ANNA, body)).body == body


def test_size_is_refused_before_the_digest():
    content = sealed.content(ANNA, BODY)
    with pytest.raises(ContentRefused, match=f"has {len(content)} bytes; its manifest states 7"):
        opened(content, size=7, digest="sha256:0")


def test_digest_is_refused_before_the_signature():
    with pytest.raises(ContentRefused, match="changed or truncated"):
        opened(sealed.content(EVE, BODY), digest=sealed.digest(b"another"))


def test_signature_is_refused_before_the_header_is_read():
    with pytest.raises(
        NotTrusted, match=f"signed by key {EVE.public_key.id}, which is not trusted here.*{ANNA.public_key.id}"
    ):
        opened(sealed.framed(EVE, b"{no json", BODY))


def test_deployment_is_refused_before_the_python():
    other = sealed.HERE.model_copy(update={"magic": "00000000"})
    content = sealed.content(ANNA, BODY, made=other, version=2)
    with pytest.raises(ContentRefused, match="packed for etl/nightly version 2, not for etl/nightly version 3"):
        opened(content)


@pytest.mark.parametrize("pins", [{"deployment": "etl/other"}, {"version": 2}])
def test_content_of_another_deployment_or_version_is_refused(pins):
    with pytest.raises(ContentRefused, match="packed for etl/nightly version 3"):
        opened(sealed.content(ANNA, BODY), **pins)


def test_a_trusted_seal_over_another_header_is_refused():
    content = sealed.content(ANNA, BODY)
    start = envelope.HEADER_START + header_length(content)
    other = sealed.content(ANNA, BODY, version=4)
    swapped = content[:start] + other[-len(BODY) - SEAL_SIZE :]
    with pytest.raises(SignatureWrong, match="is not what key"):
        opened(swapped)


def test_a_trusted_header_over_another_body_is_refused():
    content = sealed.content(ANNA, BODY)
    with pytest.raises(ContentRefused, match="does not have the digest in its signed header"):
        opened(content[: -len(BODY)] + b"x" * len(BODY))
    with pytest.raises(ContentRefused, match="its header states"):
        opened(content + b"x")


def test_a_seal_for_a_manifest_is_none_for_a_content():
    encoded = sealed.header(BODY).model_dump_json().encode()
    seal = ANNA.seal(b"satflow manifest 1\n", encoded)
    content = envelope.MAGIC_BYTES + envelope.LENGTH_FORMAT.pack(len(encoded)) + encoded + seal + BODY
    with pytest.raises(SignatureWrong):
        opened(content)


@pytest.mark.parametrize(
    ("encoded", "why"),
    [
        (b"[]", "not an object"),
        (b"{", "Expecting"),
        (b"\xff", "decode"),
        (b'{"format": NaN}', "NaN"),
        (b"[" * 10_000, "too deep"),
        (b'{"format": 1}', "sha256"),
        (sealed.header(BODY).model_dump_json().replace('"format":1', '"format":2').encode(), "format"),
        (sealed.header(BODY).model_dump_json()[:-1].encode() + b',"alg":"none"}', "alg"),
        (sealed.header(BODY).model_dump_json()[:-1].encode() + b',"version":3}', "duplicate key"),
    ],
)
def test_a_header_that_says_something_else_is_refused_even_when_it_is_signed(encoded, why):
    with pytest.raises(ContentRefused, match=why):
        opened(sealed.framed(ANNA, encoded, BODY))


@pytest.mark.parametrize("length", [envelope.HEADER_LIMIT + 1, 2**32 - 1])
def test_a_length_that_no_header_has_is_refused(length):
    content = envelope.MAGIC_BYTES + envelope.LENGTH_FORMAT.pack(length) + b"x" * 200_000
    with pytest.raises(ContentRefused, match=f"cannot have {length} bytes"):
        opened(content)


def test_a_header_may_have_sixteen_kibibytes_and_no_more():
    encoded = sealed.header(BODY).model_dump_json().encode()
    padding = b" " * (16384 - len(encoded))
    assert opened(sealed.framed(ANNA, encoded + padding, BODY)).body == BODY
    with pytest.raises(ContentRefused, match="cannot have 16385 bytes"):
        opened(sealed.framed(ANNA, encoded + padding + b" ", BODY))


def test_every_truncation_is_refused_even_when_it_is_pinned():
    whole = sealed.content(ANNA, BODY)
    for length in range(len(whole)):
        with pytest.raises(ContentRefused):
            opened(whole[:length])


# --- who made it ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"magic": "00000000", "python": "3.9.1"}, {"implementation": "PyPy"}])
def test_another_python_is_told_with_both_names(changes):
    other = sealed.HERE.model_copy(update=changes)
    for made, reader in ((other, sealed.HERE), (sealed.HERE, other)):
        words = (
            f"packed by {made.implementation} {made.python}; this flow run has {reader.implementation} {reader.python}"
        )
        with pytest.raises(PythonMismatch, match=words) as caught:
            opened(sealed.content(ANNA, BODY, made=made), reader=reader)
        assert "Run the Prefect worker with the same Python" in caught.value.fix


def with_packages(**versions):
    return sealed.HERE.model_copy(update={"packages": versions})


@pytest.mark.parametrize(("made", "here"), [("3.8.8", "4.0.0"), ("4.0.0", "3.8.8")])
@pytest.mark.parametrize("package", ["cloudpickle", "prefect"])
def test_another_major_of_a_package_is_refused_with_both_versions(package, made, here):
    content = sealed.content(ANNA, BODY, made=with_packages(**{package: made}))
    with pytest.raises(PackageMismatch, match=rf"packed with {package} {made}; this flow run has {package} {here}\."):
        opened(content, reader=with_packages(**{package: here}))


@pytest.mark.parametrize(
    ("package", "made", "here"),
    [("cloudpickle", "3.0.1", "3.1.0"), ("prefect", "3.9.1", "3.8.8"), ("distributed", "2026.8.0", "2027.1.0")],
)
def test_another_minor_of_a_package_is_told(package, made, here):
    content = sealed.content(ANNA, BODY, made=with_packages(**{package: made}))
    (told,) = opened(content, reader=with_packages(**{package: here})).differences
    assert told == f"The flow was packed with {package} {made}; this flow run has {package} {here}."


def test_another_patch_or_a_package_that_one_side_lacks_is_not_told():
    content = sealed.content(ANNA, BODY, made=with_packages(prefect="3.8.8", distributed="2026.8.0"))
    assert opened(content, reader=with_packages(prefect="3.8.9", cloudpickle="3.1.2")).differences == ()


def test_the_maker_is_this_interpreter_and_what_it_has():
    assert packing_environment.current_environment().packages.keys() == {"cloudpickle", "prefect", "distributed"}


def test_the_maker_of_a_packed_flow_is_its_environment():
    wheels = [("prefect", "3.8.8"), ("numpy", "2.3.1"), ("cloudpickle", "3.1.2")]
    distributions = tuple(
        Distribution(name=name, version=version, files=sealed.digest(b""), origin=None) for name, version in wheels
    )
    environment = Environment(
        python="3.11.7", implementation="CPython", magic="a70d0d0a", executable="python", distributions=distributions
    )
    made = packing_environment.from_environment(environment)
    assert made.model_dump() == {
        "implementation": "CPython",
        "python": "3.11.7",
        "magic": "a70d0d0a",
        "packages": {"cloudpickle": "3.1.2", "prefect": "3.8.8"},
    }
