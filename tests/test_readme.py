"""The README's code, as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from satflow_ext import endpoints
from satflow_ext.settings import load_settings

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(language):
    """The code blocks of one language, in their order."""
    found = re.findall(rf"^( *)```{language}\n(.*?)```", README, flags=re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(text) for _, text in found]


def quoted(start):
    """The inline code that starts so."""
    return re.search(rf"`({re.escape(start)}[^`]*)`", README).group(1)


@pytest.mark.usefixtures("stack")
def test_flow_is_registered_as_the_readme_says(tmp_path):
    script = tmp_path / "readme.py"
    script.write_text(f"import satflow_ext\n{blocks('python')[0]}\nprint({quoted('satflow_ext.register(doubled')})\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "doubled/doubled" in done.stdout


def test_settings_file_is_understood(tmp_path, monkeypatch):
    file = tmp_path / "satflow.toml"
    file.write_text(blocks("toml")[0])
    monkeypatch.setenv("SATFLOW_CONFIG", str(file))
    monkeypatch.setenv("TEAM_STORE_AUTHORIZATION", "Bearer of-the-team")
    store = endpoints.find_store("team", load_settings(), None)
    assert store.url == "https://files.example.com/satflow/{digest}"
    assert store.headers == {"Authorization": "Bearer of-the-team"}


def test_links_work_wherever_the_readme_is_shown():
    """A package index has no files next to the README."""
    targets = re.findall(r"(?<!!)\[[^\]]*\]\(([^)]*)\)", README)
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []


def test_files_that_the_readme_names_exist():
    root = Path(__file__).parents[1]
    named = set(re.findall(r"`((?:docs|scripts)/[\w./-]*|[A-Z]+\.md)`", README)) | {
        line.split()[0] for line in blocks("bash")[-1].splitlines()
    }
    assert len(named) > 10
    assert [name for name in sorted(named) if not (root / name).exists()] == []
