"""`satflow store`: check whether an HTTP endpoint is a usable store, and collect unused contents of the built-in store."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence

from pydantic import ValidationError

from satflow_ext import endpoints, lease
from satflow_ext.commands import interrupts, store_collect
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.conformance import CheckResult, SuiteReport, run_checks
from satflow_ext.conformance.suite import LARGEST_SIZE
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
        default=LARGEST_SIZE,
        metavar="BYTES",
        help="the largest content to send (default: %(default)s)",
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.set_defaults(act=_check_store)
    store_collect.configure(verbs)


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run the verb and print its result."""
    refuse_extra_arguments(rest, "store")
    act: Callable[[argparse.Namespace, Settings], int] = args.act
    return act(args, load_settings())


def _check_store(args: argparse.Namespace, settings: Settings) -> int:
    if args.store != LOCAL:
        return _run_checks(_find_store(args, settings), args)
    _refuse_url_flags(args)
    with lease.acquire_lease(settings.model_copy(update={"store": LOCAL})) as held:
        return _run_checks(endpoints.find_store(LOCAL, settings, held.record), args)


def _find_store(args: argparse.Namespace, settings: Settings) -> Store:
    """Return the requested store.

    Raises:
        BadRequest: the flags do not describe a store.
        SettingsWrong: the settings do not contain it, or its credential's variable is not set.
    """
    if "://" not in args.store:
        _refuse_url_flags(args)
        return endpoints.find_store(args.store, settings, None)
    if endpoints.hide_credentials(args.store) != args.store:
        raise BadRequest(
            "The store's URL contains a credential, which the command line does not keep secret.",
            fix="Put it into an environment variable, and name that with --header NAME=VARIABLE.",
        )
    url = args.store if "{digest}" in args.store else f"{args.store.rstrip('/')}/{{digest}}"
    try:
        store_settings = StoreSettings(
            url=url, method=args.method, headers=_parse_headers(args.header), aws=_aws_settings(args.aws_region)
        )
    except ValidationError as error:
        raise BadRequest(f"{args.store}: {error.errors(include_url=False)[0]['msg']}.") from None
    return endpoints.build_store(args.store, store_settings)


def _refuse_url_flags(args: argparse.Namespace) -> None:
    if args.header or args.aws_region or args.method != "PUT":
        raise BadRequest(
            f"--header, --method and --aws-region apply only to a URL, and {args.store!r} is the name of a store.",
            fix="Leave them out: the settings define them.",
        )


def _parse_headers(given: Sequence[str]) -> dict[str, str]:
    split = [each.partition("=") for each in given]
    if any(not name or not variable.isidentifier() for name, _, variable in split):
        raise BadRequest(
            "--header takes NAME=VARIABLE.", fix="Put the header's value into the environment variable VARIABLE."
        )
    return {name: variable for name, _, variable in split}


def _aws_settings(region: str | None) -> AwsSettings | None:
    return AwsSettings(region=region) if region else None


def _run_checks(store: Store, args: argparse.Namespace) -> int:
    def show_result(result: CheckResult) -> None:
        if not args.json:
            print(_format_result(result), flush=True)

    report = interrupts.run(run_checks(store, largest=args.largest, on_result=show_result))
    print(_report_json(report) if args.json else "\n".join(_summary_lines(report)))
    return 0 if report.is_usable else 1


def _format_result(result: CheckResult) -> str:
    need = "required" if result.check.required else "recommended"
    reason = f"\n        → {result.reason}" if result.reason else ""
    return f"{MARKS[result.outcome]:<5} {need:<12} {result.check.name:<32} {result.check.text}{reason}"


def _summary_lines(report: SuiteReport) -> Iterator[str]:
    yield ""
    for need, required in (("required", True), ("recommended", False)):
        found = [each.outcome for each in report.results if each.check.required == required]
        applicable_count = len(found) - found.count("not applicable")
        yield f"{need}: {found.count('pass')} of {applicable_count} passed, {found.count('not applicable')} not applicable"
    if report.remaining:
        yield f"{len(report.remaining)} contents of the checks remain: this store does not let clients remove them over HTTP."
    yield "SatFlow can use this store." if report.is_usable else "SatFlow cannot use this store."


def _report_json(report: SuiteReport) -> str:
    rows = [
        {
            "name": each.check.name,
            "text": each.check.text,
            "required": each.check.required,
            "outcome": each.outcome,
            "why": each.reason,
        }
        for each in report.results
    ]
    return json.dumps({"usable": report.is_usable, "checks": rows, "left": report.remaining}, indent=2)
