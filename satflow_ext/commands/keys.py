"""`satflow keys`: manage the signing key, and the keys whose flows may run on this machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence

from satflow_ext.commands.argument_words import refuse_rest
from satflow_ext.errors import KeysRefused
from satflow_ext.keys import Keyring, PublicKey, TrustedKey
from satflow_ext.keys.trusted import from_settings, told
from satflow_ext.settings import Settings, load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _verb(verbs, "list", "list the keys that are trusted here, and the revoked ones", _list)
    _verb(
        verbs,
        "export",
        "print your public key, for `satflow keys trust` on other machines or SATFLOW_TRUSTED_KEYS",
        _export,
    )
    _verb(verbs, "rotate", "sign with a new key from now on; the old one stays trusted until it is revoked", _rotate)
    trust = _verb(verbs, "trust", "allow flows that a key signed to run here", _trust)
    trust.add_argument("key", metavar="FILE_OR_TEXT", help="the output of `satflow keys export`, or a file with it")
    revoke = _verb(verbs, "revoke", "stop trusting a key", _revoke)
    revoke.add_argument("id", help="the key's id, from `satflow keys list`")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run the verb and print its result."""
    refuse_rest(rest, "keys")
    act: Callable[[argparse.Namespace, Settings], None] = args.act
    act(args, load_settings())
    return 0


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    act: Callable[[argparse.Namespace, Settings], None],
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    parser.set_defaults(act=act)
    return parser


def _list(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    signs, entries = keyring.public(), keyring.entries()
    known = {entry.public.raw for entry in entries}
    rows = [_row(entry, signs) for entry in entries]
    rows += [_from_settings(key) for key in from_settings(settings) if key.raw not in known]
    if args.json:
        print(json.dumps(rows, indent=2))
    elif rows:
        print("\n".join(_line(row) for row in rows))
    else:
        print("No key is trusted here. Your key is created when you first register a flow.")


def _export(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    keyring.signer()
    key = keyring.public()
    assert key is not None
    print(json.dumps(_key(key), indent=2) if args.json else key.text)


def _rotate(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    old = keyring.public()
    keyring.rotate()
    key = keyring.public()
    assert key is not None
    if args.json:
        print(json.dumps({**_key(key), "replaces": old.id if old else None}, indent=2))
        return
    print(f"Key {key.id} signs what you register from now on.")
    if old:
        print(
            f"Key {old.id} stays trusted, so that flows it signed still run; `satflow keys revoke {old.id}` revokes it."
        )


def _trust(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    entries = [keyring.trust(key) for key in told(args.key)]
    _say(args, keyring, entries, "Trusted from now on")


def _revoke(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    named = next((key for key in from_settings(settings) if key.id == args.id), None)
    if named and all(entry.public.raw != named.raw for entry in keyring.entries()):
        raise KeysRefused(f"Key {args.id} is in SATFLOW_TRUSTED_KEYS.", fix="Remove it from that setting.")
    _say(args, keyring, [keyring.revoke(args.id)], "No longer trusted")


def _say(args: argparse.Namespace, keyring: Keyring, entries: Sequence[TrustedKey], what: str) -> None:
    rows = [_row(entry, keyring.public()) for entry in entries]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        print("\n".join(f"{what}: {row['id']} {row['name']}" for row in rows))


Row = dict[str, str | bool | None]


def _row(entry: TrustedKey, signs: PublicKey | None) -> Row:
    return {
        **_key(entry.public),
        "origin": "own" if entry.own else "trusted",
        "signs": signs is not None and signs.raw == entry.public.raw,
        "added_at": entry.added_at.isoformat(),
        "added_by": entry.added_by,
        "revoked_at": entry.revoked_at.isoformat() if entry.revoked_at else None,
    }


def _from_settings(key: PublicKey) -> Row:
    nobody = {"added_at": None, "added_by": None, "revoked_at": None}
    return {**_key(key), "origin": "settings", "signs": False, **nobody}


def _key(key: PublicKey) -> Row:
    return {"id": key.id, "name": key.name, "key": key.text}


def _line(row: Row) -> str:
    if row["revoked_at"]:
        state = f"revoked {str(row['revoked_at'])[:10]}"
    elif row["origin"] == "settings":
        state = "SATFLOW_TRUSTED_KEYS"
    else:
        state = f"{'yours, signs' if row['signs'] else 'yours' if row['origin'] == 'own' else 'trusted'}"
        state += f", since {str(row['added_at'])[:10]}"
    return f"{row['id']}  {state:<30}  {row['name']}"
