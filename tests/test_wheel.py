"""What a user gets: the wheel's contents, and what Jupyter says of the extension that is installed here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LAB = "share/jupyter/labextensions/satflow-ext"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def wheel(wheel: Path) -> ZipFile:
    return ZipFile(wheel)


@pytest.fixture(scope="module")
def version() -> str:
    return str(json.loads((ROOT / "package.json").read_text())["version"])


def names(wheel: ZipFile) -> list[str]:
    """The files' names, as they stand below the environment's prefix where they are data."""
    return [re.sub(r"^[^/]+\.data/data/", "", name) for name in wheel.namelist()]


def read(wheel: ZipFile, ending: str) -> str:
    (name,) = [name for name in wheel.namelist() if name.endswith(ending)]
    return wheel.read(name).decode()


@pytest.mark.parametrize(
    "name",
    [
        f"{LAB}/package.json",
        f"{LAB}/install.json",
        f"{LAB}/schemas/satflow-ext/plugin.json",
        f"{LAB}/static/style.js",
        "satflow_ext/locale/de_DE/LC_MESSAGES/satflow_ext.json",
        "etc/jupyter/jupyter_server_config.d/satflow_ext.json",
        "etc/ipython/startup/50-satflow.py",
    ],
)
def test_wheel_carries(wheel, name):
    assert name in names(wheel)


def test_wheel_carries_the_browser_part_that_its_package_json_loads(wheel):
    package = json.loads(read(wheel, f"{LAB}/package.json"))
    assert f"{LAB}/{package['jupyterlab']['_build']['load']}" in names(wheel)
    assert package["jupyterlab"]["_build"]["load"].startswith("static/remoteEntry.")


def test_wheel_carries_every_module(wheel):
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "satflow_ext").rglob("*.py")}
    assert modules == {name for name in names(wheel) if name.startswith("satflow_ext/") and name.endswith(".py")}


def test_wheel_carries_nothing_else(wheel):
    expected = (
        "satflow_ext/",
        f"{LAB}/",
        "etc/jupyter/jupyter_server_config.d/",
        "etc/ipython/startup/",
        "satflow_ext-",
    )
    assert [name for name in names(wheel) if not name.startswith(expected)] == []
    unwanted = re.compile(r"(^|/)(tests|ui-tests|node_modules|__pycache__|__tests__|\.\w+)(/|$)")
    assert [name for name in names(wheel) if unwanted.search(name)] == []


def test_wheel_enables_the_server_extension(wheel):
    config = json.loads(read(wheel, "jupyter_server_config.d/satflow_ext.json"))
    assert config == {"ServerApp": {"jpserver_extensions": {"satflow_ext": True}}}


def test_wheel_says_what_it_is(wheel, version):
    about = Parser().parsestr(read(wheel, ".dist-info/METADATA"))
    assert (about["Name"], about["Version"]) == ("satflow-ext", version)
    assert json.loads(read(wheel, f"{LAB}/package.json"))["version"] == version
    assert read(wheel, ".dist-info/licenses/LICENSE") == (ROOT / "LICENSE").read_text()


def test_wheel_is_for_every_jupyterlab_that_pyproject_allows(wheel):
    """JupyterLab compares the dependencies with its own packages, and webpack the shared packages at run time.

    A web worker has no shared packages, so the one that it uses is excluded.
    """
    package = json.loads(read(wheel, f"{LAB}/package.json"))
    declared = package["jupyterlab"]["sharedPackages"]
    assert [name for name, each in declared.items() if not each] == ["@dagrejs/dagre"]
    shared = {name: each["requiredVersion"] for name, each in declared.items() if each}
    assert shared == {
        name: each
        for name, each in package["dependencies"].items()
        if name.startswith(("@jupyterlab/", "@codemirror/"))
    }
    oldest = re.search(r"jupyterlab>=([\d.]+)", (ROOT / "pyproject.toml").read_text())
    assert oldest is not None
    assert shared["@jupyterlab/application"] == f"^{oldest[1]}.0"


def test_wheel_has_the_command_and_the_languages(wheel):
    entry_points = ConfigParser()
    entry_points.optionxform = str  # keeps the case of de_DE
    entry_points.read_string(read(wheel, ".dist-info/entry_points.txt"))
    assert dict(entry_points["console_scripts"]) == {"satflow": "satflow_ext.cli:main"}
    assert dict(entry_points["jupyterlab.locale"]) == {"satflow_ext": "satflow_ext"}
    assert dict(entry_points["jupyterlab.languagepack"]) == {"de_DE": "satflow_ext.server.translations:de_DE"}


def jupyter(*words: str) -> str:
    """What a Jupyter command says, without its colours."""
    said = subprocess.run([sys.executable, "-m", "jupyter", *words], capture_output=True, text=True, check=True)
    return COLOUR.sub("", said.stdout + said.stderr)


def test_jupyterlab_accepts_the_extension(version):
    assert re.search(rf"satflow-ext v{re.escape(version)} enabled +OK", jupyter("labextension", "list"))


def test_jupyter_server_accepts_the_extension():
    said = jupyter("server", "extension", "list")
    assert re.search(r"satflow_ext enabled\n", said)
    assert re.search(r"satflow_ext \S* ?OK\n", said)
