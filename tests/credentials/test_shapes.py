"""Texts that look like credentials are found, and others are not: a corpus of both, made from a seed so that none is real."""

from __future__ import annotations

import base64
import hashlib
import random
import string
import uuid
from collections.abc import Iterator

from satflow_ext.credentials.shapes import detect_credential

LETTERS = string.ascii_letters
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
EACH = 5


def some(dice: random.Random, alphabet: str, count: int) -> str:
    return "".join(dice.choice(alphabet) for _ in range(count))


def shaped(dice: random.Random) -> Iterator[str]:
    """One of each kind that its issuer gave a shape."""
    word = lambda count: some(dice, ALNUM, count)  # noqa: E731 - a table is easier to read
    yield "AKIA" + some(dice, string.ascii_uppercase + "234567", 16)
    yield f"-----BEGIN {dice.choice(['RSA ', 'EC ', 'OPENSSH ', ''])}PRIVATE KEY-----\n{word(64)}\n"
    yield f"{dice.choice(['ghp', 'gho', 'ghs'])}_{word(36)}"
    yield f"github_pat_{word(22)}_{word(59)}"
    yield f"glpat-{word(20)}"
    yield f"xoxb-{some(dice, string.digits, 12)}-{some(dice, string.digits, 12)}-{word(24)}"
    yield f"https://hooks.slack.com/services/T{word(8)}/B{word(8)}/{word(24)}"
    yield f"AIza{word(35)}"
    yield f"GOCSPX-{word(28)}"
    yield f"sk_live_{word(24)}"
    yield f"sk-proj-{word(48)}"
    yield f"sk-ant-api03-{word(93)}"
    yield f"hf_{some(dice, LETTERS, 34)}"
    yield f"pypi-AgEIcHlwaS5vcmc{word(60)}"
    yield f"npm_{word(36)}"
    yield f"pnu_{word(36)}"
    yield f"dapi{some(dice, HEX, 32)}"
    yield f"dop_v1_{some(dice, HEX, 64)}"
    yield f"SG.{word(22)}.{word(43)}"
    yield f"SK{some(dice, HEX, 32)}"
    yield f"key-{some(dice, HEX, 32)}"
    yield f"{some(dice, string.digits[1:], 9)}:AA{word(33)}"
    yield f"dckr_pat_{word(27)}"
    yield f"hvs.{word(24)}"
    yield f"DefaultEndpointsProtocol=https;AccountName=tiles;AccountKey={word(86)}==;EndpointSuffix=core.windows.net"
    yield f"https://bucket.s3.amazonaws.com/x.tif?X-Amz-Credential=a&X-Amz-Signature={some(dice, HEX, 64)}"
    yield f"eyJ{word(20)}.eyJ{word(40)}.{word(43)}"
    yield f"Bearer {word(40)}"
    yield f"postgresql://tiles:{word(12)}@db.example.org:5432/tiles"
    yield f"redis://:{word(16)}@cache:6379/0"
    yield f"Server=db;Database=tiles;User Id=sa;Password={word(10)}!;"


NAMES = (
    "password", "DB_PASSWORD", "dbPassword", "passwd", "api_key", "API_KEY", "apiKey", "X-Api-Key", "secret", "client_secret",
    "AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", "token", "accessToken", "ACCESS_TOKEN", "auth_token", "private_key", "pwd",
    "credentials", "SECRET_KEY", "encryption_key", "storage_account_key", "refresh_token", "passphrase", "token_prod",
)  # fmt: skip


def named(dice: random.Random) -> Iterator[tuple[str, str]]:
    """Texts without a shape, held by something that is called a credential."""
    for name in NAMES:
        kind = dice.choice(["hex", "base64", "made up"])
        made_up = f"{dice.choice(['Winter', 'tulip', 'Harbour'])}{dice.randint(10, 9999)}{dice.choice('!?#$')}"
        yield name, {"hex": some(dice, HEX, 40), "base64": some(dice, ALNUM + "+/", 40), "made up": made_up}[kind]


HARMLESS = (
    ("greeting", "Good morning, tiles"), ("path", "/data/landsat/2026/11/tile_12.tif"),
    ("url", "https://example.org/a?b=c#d"), ("url", "https://user@example.org/repo.git"),
    ("url", "postgresql://db.example.org/tiles"), ("query", "select * from t where a = 1"), ("token", "<your token>"),
    ("token", "${TOKEN}"), ("password", "********"), ("password", "changeme"), ("api_key", "YOUR-API-KEY"),
    ("secret", "{{ secrets.db }}"), ("password", ""), ("password_file", "/run/secrets/db_password_2026"),
    ("token_url", "https://a.b/c1"), ("secret_name", "prod/db/password-v2"), ("max_tokens", "4096 of 8192"),
    ("tokenizer", "bert-base-uncased-v2"), ("keys", "id, name, size"), ("key", "row-17/column-3"),
    ("primary_key", "tile_id_2026"), ("sort_keys", "name,size2"), ("author", "Ada Lovelace 1842"),
    ("version", "2026.11.1rc2+g1a2b3c4"), ("crs", "EPSG:32632"), ("bands", "B04,B08,B11"), ("cron", "0 6 * * 1-5"),
    ("zone", "Europe/Berlin"), ("regex", r"^[A-Za-z0-9_-]{20,}$"), ("html", "<td class='x1'>a</td>"),
    ("format", "%Y-%m-%dT%H:%M:%SZ"), ("color", "#1f77b4"),
    ("doc", "Set the password=... in the settings, or pass token=None."),
    ("doc", "Authorization: Bearer, then your token"), ("mail", "ada@example.org"),
    ("module", "satflow_ext.kernel.preflight"), ("wkt", "POLYGON((30 10, 40 40, 20 40, 30 10))"),
    ("auth", "kerberos-v5"), ("auth", "oauth2"), ("token_type", "bearer1"), ("pass_name", "descending-2"),
    ("compass", "north-east7"), ("passenger_id", "PX-20481"), ("keyboard", "qwertz-105"), ("monkey", "rhesus-12"),
    ("turkey", "Ankara-06"),
)  # fmt: skip


def harmless(dice: random.Random) -> Iterator[tuple[str, str]]:
    """Texts of the kind that flows are full of."""
    yield from HARMLESS
    yield "run_id", str(uuid.UUID(int=dice.getrandbits(128)))
    yield "digest", hashlib.sha256(dice.randbytes(8)).hexdigest()
    yield "content", f"sha256:{hashlib.sha256(dice.randbytes(8)).hexdigest()}"
    yield "commit", hashlib.sha1(dice.randbytes(8), usedforsecurity=False).hexdigest()
    yield "image", "data:image/png;base64," + base64.b64encode(dice.randbytes(300)).decode()
    yield "payload", base64.b64encode(dice.randbytes(200)).decode()
    yield "numbers", ",".join(str(dice.random()) for _ in range(20))
    yield "csv", "\n".join(f"{some(dice, LETTERS, 6)},{dice.randint(0, 999)}" for _ in range(20))
    yield "text", " ".join(some(dice, string.ascii_lowercase, dice.randint(2, 9)) for _ in range(40))
    yield "name", f"{some(dice, string.ascii_lowercase, 6)}-{some(dice, string.ascii_lowercase, 8)}"
    yield "key", f"tiles/{some(dice, HEX, 2)}/{some(dice, HEX, 32)}.tif"
    yield "s3", f"s3://bucket-{some(dice, string.digits, 3)}/scene/{some(dice, ALNUM, 20)}/B04.tif"
    yield "date", f"2026-{dice.randint(10, 12)}-{dice.randint(10, 28)}T06:00:00+00:00"


def test_most_credentials_are_found():
    dice = random.Random(20261121)
    corpus = [("", text) for _ in range(EACH) for text in shaped(dice)] + [
        pair for _ in range(EACH) for pair in named(dice)
    ]
    missed = [(name, text) for name, text in corpus if detect_credential(text, name) is None]
    assert len(corpus) > 250
    assert len(missed) <= 0.05 * len(corpus), missed


def test_few_harmless_texts_are_taken_for_credentials():
    dice = random.Random(20261121)
    corpus = [pair for _ in range(EACH) for pair in harmless(dice)]
    alarms = {(name, text, what) for name, text in corpus if (what := detect_credential(text, name))}
    assert len(corpus) > 250
    assert sum((name, text) in {alarm[:2] for alarm in alarms} for name, text in corpus) <= 0.05 * len(corpus), alarms


def test_a_credential_inside_a_longer_text():
    text = "connect with " + "x " * 500 + "ghp_" + "a1B2" * 9 + " and go on"
    assert detect_credential(text) == "a GitHub token"
