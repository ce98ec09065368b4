"""The environment of Prefect workers on other machines, represented by an interpreter on this machine.

On this machine, flows run with the kernel's own interpreter. The environment of Prefect workers on other machines is unknown here
unless the settings name an interpreter (`runs_python`) with the same packages.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext.errors import SettingsWrong
from satflow_ext.models import Finding, PackedFlow, Registration
from satflow_ext.registration.clean_process import ProcessStopped, run_code
from satflow_ext.settings import Settings

MAX_REPORT_SECONDS = 60.0
"""Maximum time in seconds in which the interpreter lists its packages."""

REPORT_CODE = """
import importlib.metadata, importlib.util, json, platform, re
named = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions() if each.metadata["Name"]}
print(json.dumps({
    "python": platform.python_version(),
    "implementation": platform.python_implementation(),
    "magic": importlib.util.MAGIC_NUMBER.hex(),
    "packages": {re.sub("[-_.]+", "-", name).lower(): version for name, version in named.items()},
}))
"""


class InterpreterReport(BaseModel):
    """An interpreter's own report: `magic` as in `models.Environment`, and name → version of its installed packages."""

    model_config = ConfigDict(frozen=True)

    python: str
    implementation: str
    magic: str
    packages: dict[str, str]

    def can_read(self, packed: PackedFlow) -> bool:
        """Return whether the interpreter can read the pickled flow at all; otherwise it would crash."""
        made = packed.environment
        return (self.implementation, self.magic) == (made.implementation, made.magic)


def remote_interpreter(settings: Settings) -> Path | None:
    """Return the interpreter that represents Prefect workers on other machines; None if runs use the kernel's interpreter."""
    return settings.runs_python if settings.prefect_api_url is not None else None


def remote_run_interpreter(registration: Registration, settings: Settings) -> Path | None:
    """Return the interpreter that represents that of flow runs; None if the kernel's interpreter does."""
    return remote_interpreter(settings) if registration.environment != "recreate" else None


def find_run_interpreter(
    packed: PackedFlow, registration: Registration, settings: Settings, *, local: bool
) -> Path | None:
    """Return the interpreter of flow runs, or one that represents it; None if there is none on this machine."""
    return Path(packed.environment.executable) if local else remote_run_interpreter(registration, settings)


async def inspect_interpreter(interpreter: Path, *, limit: float = MAX_REPORT_SECONDS) -> InterpreterReport:
    """Read the packages and properties of an interpreter.

    Raises:
        SettingsWrong: it is not an interpreter, or does not answer within `limit` seconds.
    """
    fix = "Set `runs_python` in satflow.toml to an interpreter that has the environment of the Prefect workers."
    try:
        # Python also imports from the working folder: not the notebook's
        done = await run_code(str(interpreter), REPORT_CODE, folder=str(interpreter.parent), limit=limit)
        return InterpreterReport.model_validate_json(done.output)
    except (OSError, ValidationError):
        raise SettingsWrong(f"{interpreter} is not a working Python interpreter.", fix=fix) from None
    except ProcessStopped as stopped:
        raise SettingsWrong(f"{interpreter} did not list its packages: {stopped.reason}.", fix=stopped.fix) from None


def find_environment_problems(packed: PackedFlow, report: InterpreterReport) -> Iterator[Finding]:
    """Yield the problems that a run of the flow would have with that interpreter."""
    made = packed.environment
    if not report.can_read(packed):
        yield Finding(
            kind="python",
            level="error",
            where=packed.flow.variable,
            message=f"was packed by {made.implementation} {made.python}; runs use {report.implementation} {report.python}",
            fix="Choose a kernel with that Python, or let runs recreate their environment (environment: recreate).",
        )
    for name in packed.uses:
        if name not in report.packages:
            yield Finding(
                kind="package",
                level="warning",
                where=name,
                message="is not installed where the flow would run",
                fix="Install it there, or let runs recreate their environment (environment: recreate).",
            )
