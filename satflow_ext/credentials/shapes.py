"""Detection of texts that look like credentials, by a format that issuers publish, or by the name of the variable.

The formats are from the issuers' documentation; most issuers add a prefix to tokens for this purpose. A text without a known
format counts only if the variable, key or parameter that holds it has the name of a credential, and if it is not a placeholder.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from pydantic import JsonValue

CREDENTIAL_PATTERNS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "an AWS access key id": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
        "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
        "a GitHub token": r"\b(?:gh[opusr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})",
        "a GitLab token": r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{20,}",
        "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+",
        "a Slack webhook": r"hooks\.slack\.com/(?:services|workflows)/T\w+/\w+/\w+",
        "a Google API key": r"\bAIza[\w-]{35}\b",
        "a Google OAuth secret": r"\bGOCSPX-[\w-]{28}",
        "a Stripe key": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9+/=]{24,}",
        "an OpenAI or Anthropic key": r"\bsk-(?:proj-|ant-|svcacct-)?[\w-]{32,}",
        "a Hugging Face token": r"\bhf_[A-Za-z]{34}\b",
        "a PyPI token": r"\bpypi-AgE[\w-]{50,}",
        "an npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
        "a Prefect API key": r"\bpn[ub]_[A-Za-z0-9]{36}\b",
        "a Databricks token": r"\bdapi[0-9a-f]{32}\b",
        "a DigitalOcean token": r"\bdo[opr]_v1_[0-9a-f]{64}\b",
        "a SendGrid key": r"\bSG\.[\w-]{22}\.[\w-]{43}\b",
        "a Twilio key": r"\bSK[0-9a-f]{32}\b",
        "a Mailgun key": r"\bkey-[0-9a-f]{32}\b",
        "a Telegram bot token": r"\b\d{8,10}:AA[\w-]{33}\b",
        "a Docker Hub token": r"\bdckr_(?:pat|oat)_[\w-]{27,}",
        "a HashiCorp Vault token": r"\bhv[sbr]\.[\w-]{24,}",
        "a Terraform token": r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}",
        "a Grafana token": r"\bgl(?:c|sa)_[A-Za-z0-9+/=_]{32,}",
        "an Azure storage key": r"\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}=*",
        "a signed URL": r"[?&](?:X-Amz-Signature|X-Goog-Signature|sig)=[A-Za-z0-9%+/=_-]{20,}",
        "a JSON Web Token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
        "an Authorization header": r"(?i)^(?:bearer|basic|token) +[A-Za-z0-9+/=._~-]{16,}$",
        "a password in a URL": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@?#]*:(?!\*+@|[<${%])[^\s:/@?#]{3,}@[\w.\[-]",
        "a password in a connection string": r"(?i)\b(?:password|pwd)\s*=\s*(?![<${%*])[^\s;'\"]{4,}\s*(?:;|$|\s+\w+=)",
    }.items()
}

NAME_PATTERN = re.compile(
    r"(?:^|_)(?:pass(?:word|wd|phrase|code)?|pwd|secrets?|tokens?|credentials?|(?:api|access|account|auth|private|secret|encryption"
    r"|signing|master|service)_?keys?|bearer)(?:$|_(?:prod|dev|test|live|key|value|str|text|id|\d+))",
    re.IGNORECASE,
)
CAMEL_CASE_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
HARMLESS_NAME = re.compile(
    r"(?:^|_)(?:name|file|path|url|uri|type|header|length|count|limit|max|min|col(?:umn)?|field|pattern|regex)s?$", re.I
)
PLACEHOLDER = re.compile(
    r"^(?:<.*>|\$\{?.*|\{.*\}|%.*%|\*+|\.+|x+|-+|none|null|true|false|todo|changeme|change_me|example\b.*|your[-_ ].*|my[-_ ].*"
    r"|.*\bhere|env:.*|secret|password|token|dummy|test|basic|bearer)$",
    re.IGNORECASE,
)
MAX_SEARCHED = 20_000
"""Maximum characters of a text that are searched."""


def detect_credential(text: str, name: str = "") -> str | None:
    """Return the kind of credential that a text looks like, such as "a GitHub token"; None if it looks harmless.

    Args:
        text: any text.
        name: the name of the variable, attribute, key or parameter that holds it; empty if there is none.
    """
    looked_at = text[:MAX_SEARCHED]
    for what, shape in CREDENTIAL_PATTERNS.items():
        if shape.search(looked_at):
            return what
    return "a credential, by its name" if is_credential_name(name) and _is_credential_like(text) else None


def find_credential(value: JsonValue, path: tuple[str, ...] = ()) -> tuple[tuple[str, ...], str] | None:
    """Return the path of the first text in a JSON value that looks like a credential, and the kind of credential."""
    if isinstance(value, str):
        what = detect_credential(value, path[-1] if path else "")
        return (path, what) if what else None
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = (find_credential(each, (*path, str(key))) for key, each in items)
    return next((each for each in found if each), None)


def is_credential_name(name: str) -> bool:
    """Return whether a name is typical of credentials."""
    plain = CAMEL_CASE_BOUNDARY.sub("_", name.strip(".[]'\"() ")).replace("-", "_").replace(" ", "_")
    return bool(NAME_PATTERN.search(plain)) and not HARMLESS_NAME.search(plain)


def _is_credential_like(text: str) -> bool:
    """Return whether a text has the form of a credential: one long word, neither a placeholder nor a plain word."""
    if not 6 <= len(text) <= 4096 or PLACEHOLDER.match(text) or any(character.isspace() for character in text):
        return False
    kinds = sum(bool(re.search(kind, text)) for kind in (r"[a-z]", r"[A-Z]", r"\d", r"[^\w]"))
    if re.fullmatch(r"[A-Za-z_]+|[a-z]+(?:[-./:][a-z]+)+", text):
        return (
            len(text) >= 16
            and _entropy_bits(text) > 3.5
            and not re.fullmatch(r"[a-z]+(?:[-_./:][a-z]+)+|[A-Z]+(?:_[A-Z]+)+", text)
        )
    return kinds >= 2 or _entropy_bits(text) > 2.5


def _entropy_bits(text: str) -> float:
    """Return the Shannon entropy in bits per character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
