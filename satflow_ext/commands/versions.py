"""`satflow versions DEPLOYMENT`: list the versions of a deployment, newest first."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.display.size_format import size_text
from satflow_ext.display.version_diff import format_change
from satflow_ext.models import Change, Version, VersionList, VersionQuery, VersionRecord
from satflow_ext.session import Session
from satflow_ext.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("deployment", help="flow/deployment, the deployment's name, or its id")
    parser.add_argument("--before", type=int, metavar="VERSION", help="only versions older than this one")
    parser.add_argument("--limit", type=int, default=20, help="number of versions to print, at most 100 (default: 20)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print the versions."""
    refuse_extra_arguments(rest, "versions")
    query = VersionQuery(before=args.before, limit=min(max(args.limit, 1), 100))
    with connect(load_settings()) as connection:
        found, drift = interrupts.run(_read_versions(Session(connection), args.deployment, query))
    print(found.model_dump_json(indent=2) if args.json else "\n".join(_version_lines(found, drift)))
    return 0


async def _read_versions(session: Session, name: str, query: VersionQuery) -> tuple[VersionList, tuple[Change, ...]]:
    deployment = await session.deployments.find_deployment(name)
    return await session.deployments.list_versions(deployment.id, query), deployment.drift


def _version_lines(found: VersionList, drift: tuple[Change, ...]) -> Iterator[str]:
    for version in found.versions:
        yield f"{'*' if version.live else ' '} {version.number:>4}  {_format_version(version)}"
    if found.lost:
        yield f"         {found.lost}"
    if found.next:
        yield f"         Older ones: --before {found.next}"
    for change in drift:
        yield f"! changed in Prefect since: {format_change(change)}"


def _format_version(version: Version) -> str:
    if version.record is None:
        return version.problem or "its manifest cannot be read"
    return _format_record(version.record)


def _format_record(record: VersionRecord) -> str:
    gone = "  (content was removed)" if record.content_kept is False else ""
    when = f"{record.registered_at.astimezone():%Y-%m-%d %H:%M}"
    return f"{when}  {record.registered_by:<10}  {size_text(record.content_size):>13}  {record.summary}{gone}"
