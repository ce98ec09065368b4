"""Checks of `satflow doctor` that contact no server: Python, packages, extensions, folders."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from satflow_ext import keys
from satflow_ext.errors import SatflowError
from satflow_ext.keys import Keyring
from satflow_ext.lease.address import make_private_folder
from satflow_ext.settings import Settings

LAB_EXTENSION = Path("share/jupyter/labextensions/satflow-ext/package.json")
SERVER_EXTENSION = Path("etc/jupyter/jupyter_server_config.d/satflow_ext.json")
REINSTALL = "Install SatFlow into this environment: pip install --force-reinstall satflow-ext"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `fix` states what to do if something is wrong."""

    name: str
    text: str
    wrong: bool = False
    fix: str | None = None


@dataclass(frozen=True)
class Check:
    """One check. `find` returns a description of what it found, and raises `SatflowError` if something is wrong."""

    name: str
    inspect: Callable[[], str]


def run_check(check: Check) -> Finding:
    """Run the check."""
    try:
        return Finding(check.name, check.inspect())
    except SatflowError as error:
        return Finding(check.name, error.message, wrong=True, fix=error.fix)


def folder_checks(settings: Settings) -> Sequence[Check]:
    """Return the checks that SatFlow's folders belong to this user, and that other users have no access."""
    return [
        Check("state folder", lambda: str(make_private_folder(settings.state_dir))),
        Check("runtime folder", lambda: str(make_private_folder(settings.runtime_dir))),
        Check("keys", lambda: _check_keys(settings)),
    ]


def _check_keys(settings: Settings) -> str:
    """Check that the key files can be read, and that other users have no access."""
    signs, trusted = Keyring(settings).public_key(), keys.read_trusted_keys(settings).keys
    signing = f"{signs.id} signs" if signs else "no signing key yet: it is created when you first register"
    return f"{signing}; {len(trusted)} trusted"


def _check_python() -> str:
    if sys.version_info < (3, 10):  # noqa: UP036 - a wheel can be forced into an older one
        raise SatflowError(f"Python {sys.version.split()[0]} is too old.", fix="Use Python 3.10 or newer.")
    return f"{sys.version.split()[0]} at {sys.executable}"


def _package_check(name: str) -> Callable[[], str]:
    def find() -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            raise SatflowError(f"{name} is not installed.", fix=REINSTALL) from None

    return find


def _check_prefect_server() -> str:
    """Import Prefect's server in a separate process: an unpinned FastAPI breaks it, which shows only on import."""
    code = "import fastapi, prefect, prefect.server.api.server as s; print(prefect.__version__, fastapi.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise SatflowError(
            f"The Prefect server cannot be imported: {last[0]}", fix="Install with SatFlow's constraints file."
        )
    prefect, fastapi = done.stdout.split()[-2:]
    return f"prefect {prefect} with fastapi {fastapi} loads"


def _extension_check(path: Path) -> Callable[[], str]:
    def find() -> str:
        found = Path(sys.prefix) / path
        try:
            json.loads(found.read_bytes())
        except (OSError, ValueError) as error:
            raise SatflowError(f"{found} cannot be read: {error}.", fix=REINSTALL) from None
        return str(found)

    return find


def _check_scheduler() -> str:
    """Check SQLAlchemy: with 2.1, the Prefect server's scheduler fails, and only its log shows it (docs/decisions/0002)."""
    found = version("sqlalchemy")
    if tuple(map(int, found.split(".")[:2])) >= (2, 1):
        raise SatflowError(
            f"With SQLAlchemy {found}, the local stack's Prefect server does not start scheduled runs.",
            fix="pip install 'sqlalchemy<2.1'",
        )
    return f"SQLAlchemy {found} works with the Prefect server's scheduler"


INSTALLATION_CHECKS: Sequence[Check] = (
    Check("Python", _check_python),
    Check("satflow-ext", _package_check("satflow-ext")),
    Check("Prefect server", _check_prefect_server),
    Check("schedules", _check_scheduler),
    Check("JupyterLab extension", _extension_check(LAB_EXTENSION)),
    Check("Jupyter server extension", _extension_check(SERVER_EXTENSION)),
)
