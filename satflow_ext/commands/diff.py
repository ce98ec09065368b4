"""`satflow diff DEPLOYMENT [A [B]]`: compare two versions."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import format_change, refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.errors import VersionNotFound
from satflow_ext.models import TaskChange, VersionDiff
from satflow_ext.session import Session
from satflow_ext.settings import load_settings

SECTIONS = {
    "parameters": "Parameters",
    "executor": "Executor",
    "choices": "Choices",
    "environment": "Interpreter",
    "packages": "Packages",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("deployment", help="flow/deployment, the deployment's name, or its id")
    parser.add_argument("before", type=int, nargs="?", help="a version (default: the one before the live one)")
    parser.add_argument("after", type=int, nargs="?", help="another version (default: the live one)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print the differences."""
    refuse_extra_arguments(rest, "diff")
    with connect(load_settings()) as connection:
        found = interrupts.run(_read_diff(Session(connection), args.deployment, args.before, args.after))
    print(found.model_dump_json(indent=2) if args.json else format_diff(found))
    return 0


async def _read_diff(session: Session, name: str, before: int | None, after: int | None) -> VersionDiff:
    deployment = await session.deployments.find_deployment(name)
    after = deployment.version if after is None else after
    before = deployment.version - 1 if before is None else before
    if before == 0:
        raise VersionNotFound(f"{name} has only one version.", fix="See it with `satflow versions`.")
    return await session.deployments.compare_versions(deployment.id, before, after)


def format_diff(diff: VersionDiff) -> str:
    """Format the differences, or state that there are none."""
    lines = [*_diff_lines(diff)]
    return "\n".join(lines or [f"Versions {diff.before} and {diff.after} do not differ."])


def _diff_lines(diff: VersionDiff) -> Iterator[str]:
    for name, title in SECTIONS.items():
        if changes := getattr(diff, name):
            yield f"{title}:"
            yield from (f"  {format_change(change)}" for change in changes)
    for task in diff.tasks:
        yield from _task_lines(task)
    for piece in diff.code:
        yield f"Code, {piece.kind} {piece.name} {piece.change}:"
        yield from (f"  {line}" for line in piece.diff.splitlines()[2:])
    if diff.unexplained:
        yield diff.unexplained


def _task_lines(change: TaskChange) -> Iterator[str]:
    yield f"Tasks of {change.flow}:"
    yield f"  before  {'; '.join(change.before) or 'none'}"
    yield f"  after   {'; '.join(change.after) or 'none'}"
    for word, names in (("added", change.added), ("removed", change.removed)):
        if names:
            yield f"  {word}: {', '.join(names)}"
    if change.rewired:
        yield "  the other tasks are called in a different order, or use different results"
    for each in change.unsaid:
        yield f"  cannot be determined: it {each}"
