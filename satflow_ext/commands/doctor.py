"""`satflow doctor`: check that everything SatFlow needs is installed and works, and print how to fix what does not."""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from satflow_ext import endpoints, keys, lease
from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.endpoints import LOCAL_POOL, Endpoints, PrefectApi, Store, hide_credentials
from satflow_ext.errors import SatflowError, SettingsWrong, StackFailed, WorkPoolNotFound
from satflow_ext.keys import Keyring
from satflow_ext.lease.address import make_private_folder
from satflow_ext.prefect_api import prefect_client
from satflow_ext.prefect_names import read_work_pool
from satflow_ext.settings import Settings, config_file, load_settings
from satflow_ext.versions.store_client import StoreClient

PROBE_CONTENT = b"satflow doctor was here\n"
LAB_EXTENSION = Path("share/jupyter/labextensions/satflow-ext/package.json")
SERVER_EXTENSION = Path("etc/jupyter/jupyter_server_config.d/satflow_ext.json")
OLDEST_LAB = Version("4.2")
SLOW_JSONSCHEMA = ("4.25.", "4.26.")
ADVISORIES = {
    "distributed": (("<2026.8",), "2026.8.0", "CVE-2026-23528, code in the name of a worker runs in the dashboard"),
    "jupyter_server": (("<2.21",), "2.21.0", "CVE-2026-86049, tokens of URLs are in its log"),
    "jupyterlab": (("<4.5.10", "==4.6.0", "==4.6.1"), "4.6.2", "CVE-2026-73417, code in a settings file is run"),
    "prefect": (("<3.6.28",), "3.7.5", "CVE-2026-7724, its server can be made to send requests to private addresses"),
    "tornado": (("<6.5.8",), "6.5.8", "CVE-2026-82397, one request can stall a server"),
}
"""Package → its vulnerable versions, the version to install instead, and the latest advisory."""
REINSTALL = "Install SatFlow into this environment: pip install --force-reinstall satflow-ext"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("--offline", action="store_true", help="do not start or contact Prefect and the store")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print one line for each check, and return 1 if a check fails."""
    refuse_extra_arguments(rest, "doctor")
    well = [_print_finding(run_check(check)) for check in INSTALLATION_CHECKS]
    for warning in (*find_advisories(), *find_slow_imports()):
        _print_finding(warning)
    try:
        settings = load_settings()
    except SettingsWrong as error:
        well.append(_print_finding(Finding("settings", error.message, wrong=True, fix=error.fix)))
        return 1
    well.append(_print_finding(Finding("settings", str(config_file()))))
    well += [_print_finding(run_check(check)) for check in folder_checks(settings)]
    if not args.offline:
        well += _run_live_checks(settings)
    return 0 if all(well) else 1


def _run_live_checks(settings: Settings) -> list[bool]:
    """Check Prefect and the store, and keep the local stack running meanwhile if it is needed."""
    try:
        with lease.acquire_lease(settings) as held:
            found = endpoints.resolve_endpoints(settings, held.record)
            checks: Sequence[Check] = list_checks(found, settings)
            return [_print_finding(run_check(check)) for check in checks]
    except SatflowError as error:
        return [_print_finding(Finding("endpoints", error.message, wrong=True, fix=error.fix))]


def _print_finding(finding: Finding) -> bool:
    """Print the line, and return whether the check passed. A warning does not fail."""
    level = "wrong" if finding.wrong else "warn" if finding.fix else "ok"
    print(f"{level:<6} {finding.name}: {finding.text}")
    if finding.fix:
        print(f"       → {finding.fix}")
    return not finding.wrong


def list_checks(endpoints: Endpoints, settings: Settings) -> Sequence[Check]:
    """Return the checks for the endpoints in use."""
    checks = [
        Check("store", lambda: interrupts.run(_check_store(endpoints.store))),
        Check("Prefect API", lambda: interrupts.run(_check_prefect_api(endpoints.prefect))),
        Check("work pool", lambda: interrupts.run(_check_work_pool(endpoints))),
    ]
    if endpoints.local and endpoints.work_pool == LOCAL_POOL:
        checks.append(Check("Python of the Prefect worker", lambda: _check_worker_python(settings)))
    return checks


async def _check_store(store: Store) -> str:
    """Store a small content. It is always the same, so that the store never keeps more than one."""
    digest = f"sha256:{hashlib.sha256(PROBE_CONTENT).hexdigest()}"
    async with StoreClient(store) as client:
        await client.put(digest, PROBE_CONTENT)
    return f"{store.name} stores and returns contents"


async def _check_prefect_api(api: PrefectApi) -> str:
    async with prefect_client(api) as client:
        await client.read_work_pools()
        return f"{hide_credentials(api.url)} answers and accepts the credential"


async def _check_work_pool(endpoints: Endpoints) -> str:
    if endpoints.work_pool is None:
        return "not set; each registration names its own"
    missing = WorkPoolNotFound(
        f"There is no work pool {endpoints.work_pool!r}.", fix="Set SATFLOW_WORK_POOL to another."
    )
    async with prefect_client(endpoints.prefect) as client:
        pool = await read_work_pool(client, endpoints.work_pool, missing)
        online = sum(worker.is_online for worker in await client.read_workers(pool.name))
    quoted = shlex.quote(pool.name)
    if pool.is_paused:
        raise WorkPoolNotFound(f"{pool.name} is paused.", fix=f"prefect work-pool resume {quoted}")
    if not online:
        raise WorkPoolNotFound(f"No Prefect worker polls {pool.name}.", fix=f"prefect worker start --pool {quoted}")
    return f"{pool.name} ({pool.type}), {online} online"


def _check_worker_python(settings: Settings) -> str:
    """Check the worker's Python: a kernel or a JupyterLab of another environment may have started the worker."""
    report = lease.read_report(settings)
    pids = [each.pid for each in report.services if each.name == "prefect-worker"] if report else []
    if not pids or pids[0] is None:
        raise StackFailed("The Prefect worker is not running.", fix="Run `satflow down`, then `satflow up`.")
    theirs = psutil.Process(pids[0]).cmdline()[0]  # the path of the command: a virtual environment's python is a link
    if theirs != sys.executable:
        fix = "Run `satflow down`, then `satflow up` from this environment."
        raise StackFailed(f"The worker uses {theirs}, this command uses {sys.executable}.", fix=fix)
    return theirs


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `fix` states what to do if something is wrong; without `wrong`, it is a warning."""

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


def _check_package() -> str:
    found = installed_version("satflow-ext")
    if found is None:
        raise SatflowError("satflow-ext is not installed.", fix=REINSTALL)
    return found


def _check_prefect_server() -> str:
    """Import Prefect's server in a separate process: an unpinned FastAPI breaks it, which shows only on import."""
    code = "import fastapi, prefect, prefect.server.api.server as s; print(prefect.__version__, fastapi.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise SatflowError(
            f"The Prefect server cannot be imported: {last[0]}",
            fix="If this names FastAPI: pip install 'fastapi<0.151', or Prefect 3.9.1 or newer.",
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
    """Check SQLAlchemy: with 2.1, older Prefect servers start no scheduled run (docs/decisions/0002)."""
    sqlalchemy, prefect = version("sqlalchemy"), version("prefect")
    if Version(sqlalchemy) >= Version("2.1") and Version(prefect) < Version("3.9.1"):
        raise SatflowError(
            f"With SQLAlchemy {sqlalchemy}, the server of Prefect {prefect} does not start scheduled runs.",
            fix="pip install 'sqlalchemy<2.1', or Prefect 3.9.1 or newer",
        )
    return f"SQLAlchemy {sqlalchemy} works with the Prefect server's scheduler"


def _check_lab() -> str:
    """Check for JupyterLab, which environments of kernels and Prefect workers need not have."""
    found = installed_version("jupyterlab")
    if found is None:
        return "not installed here; where JupyterLab runs, it shows the sidebar after pip install satflow-ext"
    if Version(found) < OLDEST_LAB:
        raise SatflowError(f"JupyterLab {found} is too old.", fix=f"pip install 'jupyterlab>={OLDEST_LAB},<5'")
    return found


def find_advisories() -> Iterator[Finding]:
    """Yield a warning for each installed package with a published vulnerability."""
    for package, (vulnerable, fixed, advisory) in ADVISORIES.items():
        found = installed_version(package)
        if found is not None and any(SpecifierSet(each).contains(found) for each in vulnerable):
            yield Finding("security", f"{package} {found}: {advisory}", fix=f"pip install '{package}>={fixed}'")


def find_slow_imports() -> Iterator[Finding]:
    """Yield a warning if each import of Prefect compiles a grammar that neither Prefect nor SatFlow uses."""
    found = version("jsonschema")
    if found.startswith(SLOW_JSONSCHEMA) and installed_version("rfc3987-syntax") is not None:
        text = f"jsonschema {found} with rfc3987-syntax delays each import of Prefect by a second"
        yield Finding("start-up", text, fix="pip install 'jsonschema!=4.25.*,!=4.26.*'")


def installed_version(package: str) -> str | None:
    """Return the version of a distribution; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


INSTALLATION_CHECKS: Sequence[Check] = (
    Check("Python", _check_python),
    Check("satflow-ext", _check_package),
    Check("Prefect server", _check_prefect_server),
    Check("schedules", _check_scheduler),
    Check("JupyterLab", _check_lab),
    Check("JupyterLab extension", _extension_check(LAB_EXTENSION)),
    Check("Jupyter server extension", _extension_check(SERVER_EXTENSION)),
)
