"""Environments are built once, by real uv from a folder of wheels, whatever else goes on."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from satflow_ext.environments import build, locked_packages
from satflow_ext.environments.build import build_environment
from satflow_ext.environments.engine_start import python_path
from satflow_ext.errors import EnvironmentNotBuilt
from satflow_ext.settings import Settings, load_settings
from tests.environments.locks import distribution, lock, origin
from tests.environments.wheels import wheel

pytestmark = pytest.mark.slow

TINY = lock(
    distribution("tiny", "1.2"), distribution("satflow-ext", where=origin("file:///src/satflow", editable=True))
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a cache of the test's own, and an index that is a folder."""
    (tmp_path / "wheels").mkdir()
    wheel(tmp_path / "wheels")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    return load_settings().model_copy(update={"cache_dir": tmp_path / "cache"})


def code(environment: Path, statement: str) -> str:
    return subprocess.run(
        [python_path(str(environment)), "-c", statement], capture_output=True, text=True, check=True
    ).stdout


def test_two_at_once_build_one(settings: Settings) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        (environment,) = set(pool.map(lambda _: build_environment(TINY, settings, said.append), range(4)))
    assert sum(line.startswith("Building") for line in said) == 1
    assert code(environment, "import tiny, sys; print(tiny.x, sys.prefix)").split() == ["1", str(environment)]
    assert list(environment.parent.glob("*.tmp")) == []


def test_our_own_package_is_the_one_of_this_process(settings: Settings) -> None:
    environment = build_environment(TINY, settings, print)
    statement = "import satflow_ext, importlib.metadata as m; print(satflow_ext.__file__, m.version('satflow-ext'))"
    file, version = code(environment, statement).split()
    assert Path(file).resolve() == Path(build.__file__).parents[1] / "__init__.py"
    assert version


def test_a_link_that_leads_nowhere_is_mended(settings: Settings) -> None:
    environment = build_environment(TINY, settings, print)
    (link,) = environment.glob("lib/python*/site-packages/satflow_ext")
    link.unlink()
    link.symlink_to("/nowhere")
    build_environment(TINY, settings, print)
    assert "satflow" in code(environment, "import satflow_ext; print(satflow_ext.__file__)")


def test_what_a_killed_build_left_is_taken_away(settings: Settings) -> None:
    wanted = build.environment_path(locked_packages.lock_digest(TINY), settings)
    left = wanted.with_name(f"{wanted.name}.0000.tmp")
    left.mkdir(parents=True)
    assert build_environment(TINY, settings, print) == wanted
    assert not left.exists()


def test_failing_leaves_nothing_and_shows_no_password(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:hunter2@127.0.0.1:9/simple")
    with pytest.raises(EnvironmentNotBuilt, match="uv pip failed") as caught:
        build_environment(lock(distribution("absent")), settings, print)
    assert "hunter2" not in str(caught.value)
    assert [each.suffix for each in (settings.cache_dir / "environments").iterdir()] == [".lock"]


def test_no_uv(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EnvironmentNotBuilt, match="uv is not installed") as caught:
        build_environment(TINY, settings, print)
    assert caught.value.fix is not None
    assert "pip install uv" in caught.value.fix
