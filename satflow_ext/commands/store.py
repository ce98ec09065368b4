"""`satflow store`: check whether an HTTP endpoint is a usable store, and collect unused contents of the built-in store."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence

from pydantic import ValidationError

from satflow_ext import endpoints, lease
from satflow_ext.commands import interrupts, store_collect
from satflow_ext.commands.argument_words import refuse_rest
from satflow_ext.conformance import Report, Result
from satflow_ext.conformance import run as let_loose
from satflow_ext.conformance.suite import LARGEST
from satflow_ext.endpoints import Store
from satflow_ext.errors import BadRequest
from satflow_ext.settings import LOCAL, AwsSettings, Settings, StoreSettings, load_settings

MARKS = {"pass": "pass", "fail": "FAIL", "not applicable": "n/a"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "run about a hundred conformance checks against a store"
    check = verbs.add_parser(
        "check", help=text, description=f"{text[0].upper()}{text[1:]}. Exits with 1 if a required check fails."
    )
    check.add_argument(
        "store", metavar="NAME_OR_URL", help="a store from the settings, `local`, or https://host/path/{digest}"
    )
    check.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="NAME=VARIABLE",
        help="with a URL: a header and the environment variable that holds its whole value",
    )
    check.add_argument(
        "--aws-region",
        metavar="REGION",
        help="with a URL: sign requests for S3 with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
    check.add_argument(
        "--method", choices=("PUT", "POST"), default="PUT", help="with a URL: HTTP method that sends contents"
    )
    check.add_argument(
        "--largest",
        type=int,
        default=LARGEST,
        metavar="BYTES",
        help="the largest content to send (default: %(default)s)",
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.set_defaults(act=_check)
    store_collect.configure(verbs)


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run the verb and print its result."""
    refuse_rest(rest, "store")
    act: Callable[[argparse.Namespace, Settings], int] = args.act
    return act(args, load_settings())


def _check(args: argparse.Namespace, settings: Settings) -> int:
    if args.store != LOCAL:
        return _checked(_store(args, settings), args)
    _no_url_flags(args)
    with lease.acquire(settings.model_copy(update={"store": LOCAL})) as held:
        return _checked(endpoints.store_named(LOCAL, settings, held.record), args)


def _store(args: argparse.Namespace, settings: Settings) -> Store:
    """Return the requested store.

    Raises:
        BadRequest: the flags do not describe a store.
        SettingsWrong: the settings do not contain it, or its credential's variable is not set.
    """
    if "://" not in args.store:
        _no_url_flags(args)
        return endpoints.store_named(args.store, settings, None)
    if endpoints.shown(args.store) != args.store:
        raise BadRequest(
            "The store's URL contains a credential, which the command line does not keep secret.",
            fix="Put it into an environment variable, and name that with --header NAME=VARIABLE.",
        )
    url = args.store if "{digest}" in args.store else f"{args.store.rstrip('/')}/{{digest}}"
    try:
        wanted = StoreSettings(url=url, method=args.method, headers=_headers(args.header), aws=_aws(args.aws_region))
    except ValidationError as error:
        raise BadRequest(f"{args.store}: {error.errors(include_url=False)[0]['msg']}.") from None
    return endpoints.store_of(args.store, wanted)


def _no_url_flags(args: argparse.Namespace) -> None:
    if args.header or args.aws_region or args.method != "PUT":
        raise BadRequest(
            f"--header, --method and --aws-region apply only to a URL, and {args.store!r} is the name of a store.",
            fix="Leave them out: the settings define them.",
        )


def _headers(given: Sequence[str]) -> dict[str, str]:
    split = [each.partition("=") for each in given]
    if any(not name or not variable.isidentifier() for name, _, variable in split):
        raise BadRequest(
            "--header takes NAME=VARIABLE.", fix="Put the header's value into the environment variable VARIABLE."
        )
    return {name: variable for name, _, variable in split}


def _aws(region: str | None) -> AwsSettings | None:
    return AwsSettings(region=region) if region else None


def _checked(store: Store, args: argparse.Namespace) -> int:
    def tell(result: Result) -> None:
        if not args.json:
            print(_line(result), flush=True)

    report = interrupts.run(let_loose(store, largest=args.largest, tell=tell))
    print(_json(report) if args.json else "\n".join(_summary(report)))
    return 0 if report.usable else 1


def _line(result: Result) -> str:
    need = "required" if result.check.required else "recommended"
    why = f"\n        → {result.why}" if result.why else ""
    return f"{MARKS[result.outcome]:<5} {need:<12} {result.check.name:<32} {result.check.text}{why}"


def _summary(report: Report) -> Iterator[str]:
    yield ""
    for need, required in (("required", True), ("recommended", False)):
        found = [each.outcome for each in report.results if each.check.required == required]
        asked = len(found) - found.count("not applicable")
        yield f"{need}: {found.count('pass')} of {asked} passed, {found.count('not applicable')} not applicable"
    if report.left:
        yield f"{len(report.left)} contents of the checks remain: this store does not allow clients to remove them over HTTP."
    yield "SatFlow can use this store." if report.usable else "SatFlow cannot use this store."


def _json(report: Report) -> str:
    rows = [
        {
            "name": each.check.name,
            "text": each.check.text,
            "required": each.check.required,
            "outcome": each.outcome,
            "why": each.why,
        }
        for each in report.results
    ]
    return json.dumps({"usable": report.usable, "checks": rows, "left": report.left}, indent=2)
