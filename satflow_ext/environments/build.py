"""Rebuild an environment from a lock with uv, once for each lock and machine.

The environment is built next to its final path under a lock file, and renamed when it is complete. Concurrent runs that need it
build it once, and a killed build leaves nothing that looks complete.
"""

from __future__ import annotations

import configparser
import fcntl
import importlib.util
import os
import re
import secrets
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from satflow_ext.environments import locked_packages
from satflow_ext.environments.engine_start import python_path
from satflow_ext.environments.installed import find_metadata_folder
from satflow_ext.errors import EnvironmentNotBuilt
from satflow_ext.models import Environment
from satflow_ext.settings import Settings

MAX_OUTPUT_LINES = 20
"""Maximum lines of uv's output in an error message."""

PASSWORD_PATTERN = re.compile(r"//[^/@\s]+@")
UV_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_CONFIG_FILE")
UV_EQUIVALENTS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
}
"""pip's option → uv's environment variable, and what separates its values."""


def environment_path(digest: str, settings: Settings) -> Path:
    """Return the path for the environment of a lock with that digest."""
    return settings.cache_dir / "environments" / digest[:32]


def build_environment(lock: Environment, settings: Settings, report: Callable[[str], None]) -> Path:
    """Return the environment of a lock, and build it if it does not exist.

    Args:
        lock: the packages to install.
        settings: contain the folder of environments.
        report: receives messages about steps that take time.

    Raises:
        CannotRecreate: a package in the lock comes from a folder or file of another machine.
        EnvironmentNotBuilt: uv is not installed, or it failed; the message contains its output.
    """
    locked_packages.refuse_unobtainable(lock)
    folder = environment_path(locked_packages.lock_digest(lock), settings)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not Path(python_path(str(folder))).exists():
        with _lock_build(folder, report):
            if not Path(python_path(str(folder))).exists():
                _run_build(lock, folder, report)
    _link_satflow(lock, folder)
    return folder


@contextmanager
def _lock_build(path: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file, so that only one process builds. The lock ends with the process, however that ends."""
    with path.with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Another run is building this environment; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run_build(lock: Environment, path: Path, report: Callable[[str], None]) -> None:
    for left in path.parent.glob(f"{path.name}.*.tmp"):  # left over from a killed build
        shutil.rmtree(left, ignore_errors=True)
    report(
        f"Building the environment of this version: {lock.implementation} {lock.python}, {len(lock.distributions)} packages."
    )
    building = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    try:
        _run_uv(
            "venv",
            "--relocatable",
            "--no-project",
            "--python",
            _choose_interpreter(lock),
            str(building),
            folder=path.parent,
        )
        listed = building / "requirements.txt"
        listed.write_text(locked_packages.requirements_text(lock))
        interpreter = ("--python", python_path(str(building)))
        _run_uv("pip", "install", *interpreter, "--no-deps", "--requirement", str(listed), folder=path.parent)
        building.rename(path)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _choose_interpreter(lock: Environment) -> str:
    """Return this run's own Python if it has the same minor version, else a version for uv to find."""
    if importlib.util.MAGIC_NUMBER.hex() == lock.magic:
        return sys.executable
    return f"{lock.implementation.lower()}{'.'.join(lock.python.split('.')[:2])}"


def _run_uv(*words: str, folder: Path) -> None:
    # Run in SatFlow's own folder, so that uv applies the user's settings but not those of a project.
    settings = uv_variables(os.environ)
    done = subprocess.run(
        [_find_uv(), "--quiet", "--no-progress", *words],
        cwd=folder,
        env={**os.environ, **settings, "UV_NO_PROGRESS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        output_lines = PASSWORD_PATTERN.sub("//", done.stderr or done.stdout).strip().splitlines()[-MAX_OUTPUT_LINES:]
        raise EnvironmentNotBuilt(
            f"The environment of this version was not built: uv {words[0]} failed.\n" + "\n".join(output_lines) + "\n",
            fix="Check that the index in the settings of uv and pip on this machine has these versions.",
        )


def _find_uv() -> str:
    """Return the uv of this environment (`pip install uv`), else the one on the path."""
    beside = Path(sysconfig.get_path("scripts")) / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise EnvironmentNotBuilt(
            "The environment of this version was not built: uv is not installed on this machine.",
            fix="Run `pip install uv` in the Prefect worker's environment.",
        )
    return found


def _link_satflow(lock: Environment, environment: Path) -> None:
    """Link this process's SatFlow into the environment if the lock's SatFlow comes from a folder instead of an index."""
    if not any(
        each.name == locked_packages.SATFLOW and locked_packages.exact_requirement(each) is None
        for each in lock.distributions
    ):
        return
    (site_packages,) = environment.glob("lib/python*/site-packages")
    metadata = find_metadata_folder(locked_packages.SATFLOW)
    for target in (Path(__file__).parents[1], *([metadata] if metadata else [])):
        _replace_link(site_packages / target.name, target)


def _replace_link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    fresh = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    fresh.symlink_to(target)
    fresh.rename(link)  # atomically: another run may be importing through it


def uv_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables to add for uv; none if the user has configured uv itself.

    Variables are used instead of arguments, because an index's address may contain a password.
    """
    if any(environment.get(name) for name in UV_VARIABLES) or any(file.exists() for file in _uv_files()):
        return {}
    pip_options = {**_read_files(environment), **_read_variables(environment)}
    added = {
        UV_EQUIVALENTS[option][0]: UV_EQUIVALENTS[option][1].join(value.split())
        for option, value in pip_options.items()
        if value.split()
    }
    # pip considers all indexes equally; uv would stop at the first one that has the package.
    strategy = {"UV_INDEX_STRATEGY": "unsafe-best-match"} if "UV_INDEX" in added else {}
    return {name: value for name, value in {**added, **strategy}.items() if name not in environment}


def _read_variables(environment: Mapping[str, str]) -> dict[str, str]:
    names = {option: f"PIP_{option.upper().replace('-', '_')}" for option in UV_EQUIVALENTS}
    return {option: environment[name] for option, name in names.items() if environment.get(name)}


def _read_files(environment: Mapping[str, str]) -> dict[str, str]:
    pip_options: dict[str, str] = {}
    for file in _pip_files(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, ValueError):
            continue  # pip itself reports the error
        for section in ("global", "install"):
            pip_options |= {
                option: parser[section][option] for option in UV_EQUIVALENTS if parser.has_option(section, option)
            }
    return pip_options


def _pip_files(environment: Mapping[str, str]) -> list[Path]:
    """Return pip's configuration files, highest precedence last (pip's documentation, "Configuration", "Location")."""
    home = Path.home()
    named = environment.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    files = [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", platformdirs.user_config_path("pip") / "pip.conf"]
    return [*files, Path(sys.prefix) / "pip.conf", *([Path(named)] if named else [])]


def _uv_files() -> tuple[Path, Path]:
    return platformdirs.user_config_path("uv") / "uv.toml", Path("/etc/uv/uv.toml")
