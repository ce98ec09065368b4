"""`satflow keys`: manage the signing key, and the keys whose flows may run on this machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence

from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.errors import KeysRefused
from satflow_ext.keys import Keyring, PublicKey, TrustedKey
from satflow_ext.keys.trusted import parse_or_read_keys, read_settings_keys
from satflow_ext.settings import Settings, load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _add_verb(verbs, "list", "list the keys that are trusted here, and the revoked ones", _list_keys)
    _add_verb(
        verbs,
        "export",
        "print your public key, for `satflow keys trust` on other machines or SATFLOW_TRUSTED_KEYS",
        _export_key,
    )
    _add_verb(
        verbs, "rotate", "sign with a new key from now on; the old one stays trusted until it is revoked", _rotate_key
    )
    trust = _add_verb(verbs, "trust", "allow flows that a key signed to run here", _trust_keys)
    trust.add_argument("key", metavar="FILE_OR_TEXT", help="the output of `satflow keys export`, or a file with it")
    revoke = _add_verb(verbs, "revoke", "stop trusting a key", _revoke_key)
    revoke.add_argument("id", help="the key's id, from `satflow keys list`")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run the verb and print its result."""
    refuse_extra_arguments(rest, "keys")
    act: Callable[[argparse.Namespace, Settings], None] = args.act
    act(args, load_settings())
    return 0


def _add_verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    act: Callable[[argparse.Namespace, Settings], None],
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    parser.set_defaults(act=act)
    return parser


def _list_keys(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    signs, entries = keyring.public_key(), keyring.list_keys()
    known = {entry.public_key.raw for entry in entries}
    rows = [_entry_row(entry, signs) for entry in entries]
    rows += [_settings_row(key) for key in read_settings_keys(settings) if key.raw not in known]
    if args.json:
        print(json.dumps(rows, indent=2))
    elif rows:
        print("\n".join(_format_row(row) for row in rows))
    else:
        print("No key is trusted here. Your key is created when you first register a flow.")


def _export_key(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    keyring.get_signer()
    key = keyring.public_key()
    assert key is not None
    print(json.dumps(_key_fields(key), indent=2) if args.json else key.text)


def _rotate_key(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    old = keyring.public_key()
    keyring.rotate()
    key = keyring.public_key()
    assert key is not None
    if args.json:
        print(json.dumps({**_key_fields(key), "replaces": old.id if old else None}, indent=2))
        return
    print(f"Key {key.id} signs what you register from now on.")
    if old:
        print(
            f"Key {old.id} stays trusted, so that flows it signed still run; `satflow keys revoke {old.id}` revokes it."
        )


def _trust_keys(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    entries = [keyring.trust(key) for key in parse_or_read_keys(args.key)]
    _print_entries(args, keyring, entries, "Trusted from now on")


def _revoke_key(args: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings)
    named = next((key for key in read_settings_keys(settings) if key.id == args.id), None)
    if named and all(entry.public_key.raw != named.raw for entry in keyring.list_keys()):
        raise KeysRefused(f"Key {args.id} is in SATFLOW_TRUSTED_KEYS.", fix="Remove it from that setting.")
    _print_entries(args, keyring, [keyring.revoke(args.id)], "No longer trusted")


def _print_entries(args: argparse.Namespace, keyring: Keyring, entries: Sequence[TrustedKey], heading: str) -> None:
    rows = [_entry_row(entry, keyring.public_key()) for entry in entries]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        print("\n".join(f"{heading}: {row['id']} {row['name']}" for row in rows))


Row = dict[str, str | bool | None]


def _entry_row(entry: TrustedKey, signs: PublicKey | None) -> Row:
    return {
        **_key_fields(entry.public_key),
        "origin": "own" if entry.own else "trusted",
        "signs": signs is not None and signs.raw == entry.public_key.raw,
        "added_at": entry.added_at.isoformat(),
        "added_by": entry.added_by,
        "revoked_at": entry.revoked_at.isoformat() if entry.revoked_at else None,
    }


def _settings_row(key: PublicKey) -> Row:
    nobody = {"added_at": None, "added_by": None, "revoked_at": None}
    return {**_key_fields(key), "origin": "settings", "signs": False, **nobody}


def _key_fields(key: PublicKey) -> Row:
    return {"id": key.id, "name": key.name, "key": key.text}


def _format_row(row: Row) -> str:
    if row["revoked_at"]:
        state = f"revoked {str(row['revoked_at'])[:10]}"
    elif row["origin"] == "settings":
        state = "SATFLOW_TRUSTED_KEYS"
    else:
        state = f"{'yours, signs' if row['signs'] else 'yours' if row['origin'] == 'own' else 'trusted'}"
        state += f", since {str(row['added_at'])[:10]}"
    return f"{row['id']}  {state:<30}  {row['name']}"
