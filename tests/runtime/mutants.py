"""Contents and manifests that nobody whom this machine trusts has signed so: made by the hundred thousand, from a seed.

A program of its own, because an audit hook cannot be taken away: `python -m tests.runtime.mutants SEED SHARE` prints how many
mutants of each kind were tried, which errors refused them, and how often anything was unpickled. A *store* mutant stands in the
store in the place of the genuine content. A *pinned* one has its digest and size pinned as well, as somebody could do it who may
write to the store and to the Prefect API. A *manifest* mutant is pinned in the same way. A *replay* is genuine and signed, for
another deployment or version.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import pickle
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from satflow_ext.errors import SatflowError
from satflow_ext.keys import SEAL_SIZE, Signer, TrustedKeys
from satflow_ext.runtime import fetch, load
from satflow_ext.versions import envelope, manifest
from tests.registration import sealed

PARTS = {"store": 0.7, "pinned": 0.15, "manifest": 0.1, "replay": 0.05}
"""Shares of the kinds. What is refused by a digest costs a twentieth of what is refused by a signature."""

BODY = pickle.dumps(json.dumps)
"""Unpickling it looks a name up, which Python tells its audit hooks of."""

ANNA, BEN, EVE = (Signer(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)) for number in (1, 2, 3))
TRUSTED = sealed.trusting(ANNA, BEN)
CONTENT = sealed.content(ANNA, BODY)
PINNED = sealed.pinned(CONTENT)
MANIFEST = sealed.manifest(CONTENT)
DOCUMENT = MANIFEST.encode(ANNA)
HEADER = sealed.header(BODY).model_dump_json().encode()
LINE = DOCUMENT.split(b"\n")[0]

Mutate = Callable[[random.Random, bytes], bytes]


# --- bytes changed blindly ----------------------------------------------------------------------------------------------


def flip(rng: random.Random, whole: bytes) -> bytes:
    """One to four bits turned."""
    found = bytearray(whole)
    for _ in range(rng.randint(1, 4)):
        found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def truncate(rng: random.Random, whole: bytes) -> bytes:
    return whole[: rng.randrange(len(whole))]


def extend(rng: random.Random, whole: bytes) -> bytes:
    return whole + rng.randbytes(rng.randint(1, 200))


def cut_out(rng: random.Random, whole: bytes) -> bytes:
    start = rng.randrange(len(whole))
    return whole[:start] + whole[start + rng.randint(1, 64) :]


def overwrite(rng: random.Random, whole: bytes) -> bytes:
    start = rng.randrange(len(whole))
    patch = rng.randbytes(rng.randint(1, 64))
    return whole[:start] + patch + whole[start + len(patch) :]


def repeat(rng: random.Random, whole: bytes) -> bytes:
    start, end = sorted((rng.randrange(len(whole)), rng.randrange(len(whole))))
    return whole[:end] + whole[start:end] + whole[end:]


BLIND: tuple[Mutate, ...] = (flip, flip, truncate, extend, cut_out, overwrite, repeat)


# --- the format known -----------------------------------------------------------------------------------------------------


def framed(encoded: bytes, seal: bytes, body: bytes = BODY) -> bytes:
    return envelope.MAGIC_BYTES + envelope.LENGTH_FORMAT.pack(len(encoded)) + encoded + seal + body


def splice(rng: random.Random, _: bytes) -> bytes:
    """Header of one, seal of another, body of a third."""
    parts = [rng.choice(LIBRARY) for _ in range(3)]
    return framed(parts[0].encoded, parts[1].seal, parts[2].body)


def edited_header(rng: random.Random, _: bytes) -> bytes:
    return framed(edited(rng, HEADER), CONTENT[envelope.HEADER_START + len(HEADER) :][:SEAL_SIZE])


def wrong_length(rng: random.Random, _: bytes) -> bytes:
    """A seal with too few or too many bytes, or a header that says to be of another length."""
    seal = ANNA.seal(envelope.PURPOSE, HEADER)
    length = max(0, len(HEADER) + rng.choice((0, rng.randint(-40, 40), rng.randrange(2**31))))
    cut = (seal + rng.randbytes(100))[: rng.choice((0, 32, 63, 64, 95, 97, 128, rng.randrange(197)))]
    return envelope.MAGIC_BYTES + envelope.LENGTH_FORMAT.pack(length) + HEADER + cut + BODY


def confused(rng: random.Random, _: bytes) -> bytes:
    """Seals of algorithms that are none of ours, over headers that name them."""
    header = json.loads(HEADER) | {rng.choice(("alg", "typ", "kid", "jku")): rng.choice(ALGORITHMS)}
    encoded = rng.choice((HEADER, json.dumps(header).encode()))
    return framed(encoded, rng.choice(FORGERIES)(rng, envelope.PURPOSE, encoded))


def strangers(rng: random.Random, _: bytes) -> bytes:
    """All as it should be, but signed by Eve."""
    body = rng.choice((BODY, pickle.dumps(rng.random())))
    return sealed.content(EVE, body, created=sealed.NOW.replace(microsecond=rng.randrange(10**6)))


def other_purpose(rng: random.Random, _: bytes) -> bytes:
    return framed(HEADER, ANNA.seal(rng.choice((manifest.PURPOSE, b"", b"satflow content 2\n")), HEADER))


KNOWING: tuple[Mutate, ...] = (splice, edited_header, wrong_length, confused, strangers, other_purpose)

ALGORITHMS = ("none", "HS256", "EdDSA", "RS256", "https://eve.example/keys", 0, None)
IDENTITY = b"\x01" + bytes(31)
"""The neutral element of the curve: with it as R and S = 0, keys of small order would check anything."""


def hmac_of_public(rng: random.Random, purpose: bytes, message: bytes) -> bytes:
    """The trick of JSON Web Tokens: the public key taken as the secret of an HMAC."""
    return ANNA.public_key.raw + hmac.digest(ANNA.public_key.raw, purpose + message, hashlib.sha512)


def small_order(rng: random.Random, _purpose: bytes, _message: bytes) -> bytes:
    return rng.choice((ANNA.public_key.raw, IDENTITY, bytes(32))) + IDENTITY + bytes(32)


def borrowed_key(_rng: random.Random, purpose: bytes, message: bytes) -> bytes:
    """The name of a trusted key before the signature of another one."""
    return ANNA.public_key.raw + BEN.seal(purpose, message)[32:]


def raised_s(_rng: random.Random, purpose: bytes, message: bytes) -> bytes:
    """The second signature that belongs to each one where S is not checked to be below the order (RFC 8032, 5.1.7)."""
    seal = ANNA.seal(purpose, message)
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(seal[64:], "little") + order
    return seal[:64] + s.to_bytes(32, "little")


def own_digest(_rng: random.Random, purpose: bytes, message: bytes) -> bytes:
    return ANNA.public_key.raw + hashlib.sha512(purpose + message).digest()


FORGERIES = (hmac_of_public, small_order, borrowed_key, raised_s, own_digest)


def edited(rng: random.Random, encoded: bytes) -> bytes:
    """Other bytes for the same JSON, or nearly the same."""
    text = encoded.decode()
    value = json.loads(text)
    some = rng.choice(sorted(value))
    ways = (
        lambda: json.dumps(value),
        lambda: json.dumps(value, indent=rng.randint(0, 8)),
        lambda: json.dumps(dict(rng.sample(list(value.items()), len(value)))) + " " * rng.randint(1, 9),
        lambda: text[:-1] + f',"{some}":{json.dumps(value[some])}}}',
        lambda: f'{{"{some}":{rng.randint(0, 99)},' + text[1:],
        lambda: json.dumps(value | {"version": value["version"] + rng.randint(1, 99)}),
        lambda: json.dumps(value | {"deployment": f"etl/{rng.randrange(10**6)}"}),
        lambda: json.dumps(value | {f"extra{rng.randrange(10**6)}": rng.random()}),
        lambda: json.dumps({key: each for key, each in value.items() if key != some}),
        lambda: text.replace('"version":3', f'"version":3.{"0" * rng.randint(1, 9)}'),
        lambda: text.replace("n", f"\\u006{rng.choice('eE')}", rng.randint(1, 9)),
        lambda: "\ufeff" + text,
        lambda: "[" * rng.randint(1, 5000) + text,
    )
    return rng.choice(ways)().encode()


# --- manifests ------------------------------------------------------------------------------------------------------------


def resealed(line: bytes, seal: bytes) -> bytes:
    return line + b"\n" + base64.b64encode(seal) + b"\n"


def edited_line(rng: random.Random, _: bytes) -> bytes:
    return edited(rng, LINE) + DOCUMENT[len(LINE) :]


def other_choice(rng: random.Random, _: bytes) -> bytes:
    """Another executor, policy, list of secrets or content under the old seal."""
    changes = (
        {"executor": {"name": "dask-address", "options": {"address": f"tcp://eve:{rng.randrange(65536)}"}}},
        {"environment_policy": "refuse", "secrets": [f"SECRET_{rng.randrange(10**6)}"]},
        {"content": sealed.digest(rng.randbytes(8)), "size": rng.randrange(10**6)},
        {"version": rng.randint(4, 10**6)},
    )
    return manifest.canonical_json(json.loads(LINE) | rng.choice(changes)) + DOCUMENT[len(LINE) :]


def forged_seal(rng: random.Random, _: bytes) -> bytes:
    return resealed(LINE, rng.choice(FORGERIES)(rng, manifest.PURPOSE, LINE))


def strangers_manifest(rng: random.Random, _: bytes) -> bytes:
    return MANIFEST.model_copy(update={"version": rng.randint(1, 10**6)}).encode(EVE)


def other_seal(rng: random.Random, _: bytes) -> bytes:
    """The seal of a content, or of the manifest of another deployment or version."""
    found = rng.choice(LIBRARY)
    return resealed(LINE, found.seal if rng.random() < 0.5 else base64.b64decode(found.document.split(b"\n")[1]))


MANIFESTS: tuple[Mutate, ...] = (
    *BLIND,
    edited_line,
    edited_line,
    other_choice,
    forged_seal,
    strangers_manifest,
    other_seal,
)


# --- genuine ones of other deployments and versions -------------------------------------------------------------------


class Genuine:
    """What Anna or Ben registered: its deployment and version are those of the mutants only for none of them."""

    def __init__(self, number: int, by: Signer) -> None:
        self.deployment, self.version = f"etl/d{number % 20}", number // 20 + 1
        self.body = pickle.dumps(("body", number))
        names = {"deployment": self.deployment, "version": self.version}
        self.encoded = sealed.header(self.body, **names).model_dump_json().encode()
        self.seal = by.seal(envelope.PURPOSE, self.encoded)
        self.content = framed(self.encoded, self.seal, self.body)
        self.manifest = sealed.manifest(self.content, deployment=f"d{number % 20}", version=self.version)
        self.document = self.manifest.encode(by)
        self.pinned = sealed.pinned(self.content, **names)


LIBRARY = tuple(Genuine(number, (ANNA, BEN)[number % 2]) for number in range(80))


# --- trying -------------------------------------------------------------------------------------------------------------


def store(rng: random.Random) -> Callable[[], None]:
    mutant = mutated(rng, (*BLIND, *BLIND, splice, strangers), CONTENT)
    return lambda: read(mutant, PINNED)


def pinned(rng: random.Random) -> Callable[[], None]:
    mutant = mutated(rng, (*BLIND, *KNOWING), CONTENT)
    pins = replace(PINNED, digest=sealed.digest(mutant), size=len(mutant))
    return lambda: read(mutant, pins)


def changed_manifest(rng: random.Random) -> Callable[[], None]:
    mutant = mutated(rng, MANIFESTS, DOCUMENT)
    return lambda: read_pinned(mutant, CONTENT, "etl/nightly")


def replay(rng: random.Random) -> Callable[[], None]:
    one, other = rng.sample(LIBRARY, 2)
    if one.deployment != other.deployment and rng.random() < 0.3:
        return lambda: read_pinned(other.document, other.content, one.deployment)
    if rng.random() < 0.5:
        return lambda: read_pinned(one.document, other.content, one.deployment)
    pins = replace(one.pinned, digest=other.pinned.digest, size=other.pinned.size)
    return lambda: read(other.content, pins)


def mutated(rng: random.Random, ways: tuple[Mutate, ...], genuine: bytes) -> bytes:
    """A mutant that is not, by chance, what it was made from."""
    while (mutant := rng.choice(ways)(rng, genuine)) == genuine:
        pass
    return mutant


def read(content: bytes, pins: envelope.ExpectedContent, trusted: TrustedKeys = TRUSTED) -> None:
    """What a flow run does with a content."""
    load.unpickle_flow(envelope.open_content(content, pins, trusted, sealed.HERE).body)


def read_pinned(document: bytes, content: bytes, deployment: str) -> None:
    """What a flow run does with what its deployment pins."""
    found = fetch.check_manifest(document, sealed.digest(document), deployment, TRUSTED)
    load.unpickle_flow(fetch.check_content(found, content, TRUSTED, sealed.HERE).body)


def outcome(attempt: Callable[[], None]) -> str:
    """The name of the error that refused it. Whatever is no error of ours would be a crash of the reader."""
    try:
        attempt()
    except SatflowError as error:
        return type(error).__name__
    except Exception as error:
        return f"crash: {error!r}"
    return "accepted"


KINDS = {"store": store, "pinned": pinned, "manifest": changed_manifest, "replay": replay}


def main(seed: int, count: int) -> Iterator[tuple[str, object]]:
    """Try so many mutants, and then the genuine ones, which are unpickled: the counter counts."""
    events: Counter[str] = Counter()
    sys.addaudithook(
        lambda name, _: events.update((name,)) if name in ("satflow.unpickle", "pickle.find_class") else None
    )
    rng = random.Random(seed)
    for kind, share in PARTS.items():
        yield kind, Counter(outcome(KINDS[kind](rng)) for _ in range(round(count * share)))
    yield "events", dict(events)
    events.clear()
    yield (
        "genuine",
        [outcome(lambda: read(CONTENT, PINNED)), outcome(lambda: read_pinned(DOCUMENT, CONTENT, "etl/nightly"))],
    )
    yield "genuine events", dict(events)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(dict(main(int(sys.argv[1]), int(sys.argv[2])))))
