"""The environment of the Prefect workers elsewhere, as an interpreter on this machine has it.

On this machine flows run under the kernel's own interpreter. What Prefect workers elsewhere have is not known here, unless the
settings name an interpreter (`runs_python`) whose environment is made like theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext.errors import SettingsWrong
from satflow_ext.models import Finding, PackedFlow, Registration
from satflow_ext.registration.clean_process import ProcessStopped, run_code
from satflow_ext.settings import Settings

LONGEST = 60.0
"""Seconds that the interpreter may take to list its packages."""

ASKS = """
import importlib.metadata, importlib.util, json, platform, re
named = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions() if each.metadata["Name"]}
print(json.dumps({
    "python": platform.python_version(),
    "implementation": platform.python_implementation(),
    "magic": importlib.util.MAGIC_NUMBER.hex(),
    "packages": {re.sub("[-_.]+", "-", name).lower(): version for name, version in named.items()},
}))
"""


class Target(BaseModel):
    """What an interpreter says of itself: `magic` as in `models.Environment`, and name → version of what is installed."""

    model_config = ConfigDict(frozen=True)

    python: str
    implementation: str
    magic: str
    packages: dict[str, str]

    def reads(self, packed: PackedFlow) -> bool:
        """Whether it can read the pickled flow at all: where it cannot, it would crash."""
        made = packed.environment
        return (self.implementation, self.magic) == (made.implementation, made.magic)


def elsewhere(settings: Settings) -> Path | None:
    """The interpreter that stands for that of Prefect workers elsewhere; None where runs have the kernel's own."""
    return settings.runs_python if settings.prefect_api_url is not None else None


def executable(wanted: Registration, settings: Settings) -> Path | None:
    """The interpreter that stands for the one of the runs; None where the kernel's own does."""
    return elsewhere(settings) if wanted.environment != "recreate" else None


def interpreter(packed: PackedFlow, wanted: Registration, settings: Settings, *, local: bool) -> Path | None:
    """The one that flow runs will have, or one like it; None where nobody here knows it."""
    return Path(packed.environment.executable) if local else executable(wanted, settings)


async def ask(interpreter: Path, *, limit: float = LONGEST) -> Target:
    """What that interpreter has.

    Raises:
        SettingsWrong: it is none, or does not answer within `limit` seconds.
    """
    fix = "Correct `runs_python` in satflow.toml: an interpreter whose environment is that of the Prefect workers."
    try:
        # Python looks for modules where it runs: not next to the notebook
        done = await run_code(str(interpreter), ASKS, folder=str(interpreter.parent), limit=limit)
        return Target.model_validate_json(done.output)
    except (OSError, ValidationError):
        raise SettingsWrong(f"{interpreter} is not a Python that answers.", fix=fix) from None
    except ProcessStopped as stopped:
        raise SettingsWrong(f"{interpreter} did not list its packages: {stopped.why}.", fix=stopped.fix) from None


def lacks(packed: PackedFlow, there: Target) -> Iterator[Finding]:
    """What speaks against running the flow with that interpreter."""
    made = packed.environment
    if not there.reads(packed):
        yield Finding(
            kind="python",
            level="error",
            where=packed.flow.variable,
            message=f"is packed by {made.implementation} {made.python}; runs have {there.implementation} {there.python}",
            fix="Choose a kernel with that Python, or let runs recreate their environment (environment: recreate).",
        )
    for name in packed.uses:
        if name not in there.packages:
            yield Finding(
                kind="package",
                level="warning",
                where=name,
                message="is not installed where the flow would run",
                fix="Install it there, or let runs recreate their environment (environment: recreate).",
            )
