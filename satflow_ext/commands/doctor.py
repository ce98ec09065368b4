"""`satflow doctor`: check that everything SatFlow needs is installed and works, and print how to fix what does not."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext import endpoints, lease
from satflow_ext.commands import live_checks, offline_checks
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.offline_checks import Check, Finding, run_check
from satflow_ext.errors import SatflowError, SettingsWrong
from satflow_ext.settings import Settings, config_file, load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("--offline", action="store_true", help="do not start or contact Prefect and the store")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print one line for each check, and return 1 if a check fails."""
    refuse_extra_arguments(rest, "doctor")
    well = [_print_finding(run_check(check)) for check in offline_checks.INSTALLATION_CHECKS]
    try:
        settings = load_settings()
    except SettingsWrong as error:
        well.append(_print_finding(Finding("settings", error.message, wrong=True, fix=error.fix)))
        return 1
    well.append(_print_finding(Finding("settings", str(config_file()))))
    well += [_print_finding(run_check(check)) for check in offline_checks.folder_checks(settings)]
    if not args.offline:
        well += _run_live_checks(settings)
    return 0 if all(well) else 1


def _run_live_checks(settings: Settings) -> list[bool]:
    """Check Prefect and the store, and keep the local stack running meanwhile if it is needed."""
    try:
        with lease.acquire_lease(settings) as held:
            found = endpoints.resolve_endpoints(settings, held.record)
            checks: Sequence[Check] = live_checks.list_checks(found, settings)
            return [_print_finding(run_check(check)) for check in checks]
    except SatflowError as error:
        return [_print_finding(Finding("endpoints", error.message, wrong=True, fix=error.fix))]


def _print_finding(finding: Finding) -> bool:
    """Print the line, and return whether the check passed."""
    print(f"{'wrong' if finding.wrong else 'ok':<6} {finding.name}: {finding.text}")
    if finding.wrong and finding.fix:
        print(f"       → {finding.fix}")
    return not finding.wrong
