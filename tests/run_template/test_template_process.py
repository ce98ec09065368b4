"""A template that does not start is set aside, and tried again later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from satflow_ext.commands.status import format_status
from satflow_ext.fork_requests.child_process import RUN_SOCKET
from satflow_ext.fork_requests.trial_load import TEMPLATES_LINK
from satflow_ext.run_template.template_process import MAX_FAILED_STARTS, TemplateProcess
from tests.eventually import eventually

HOUR = 3600.0
ENDS_AT_ONCE = """
import os, sys
with open({starts!r}, "a") as file:
    file.write("started\\n")
if os.path.exists({broken!r}):
    os._exit(7)
"""


class Broken:
    """An environment whose interpreters end at once, until it is repaired, and the template processes in it."""

    def __init__(self, folder: Path) -> None:
        self._starts, self._broken = folder / "starts", folder / "broken"
        self._broken.touch()
        hook = ENDS_AT_ONCE.format(starts=str(self._starts), broken=str(self._broken))
        (folder / "sitecustomize.py").write_text(hook)
        self.variables = {"PYTHONPATH": os.pathsep.join([str(folder), os.getcwd()])}

    @property
    def starts(self) -> int:
        return len(self._starts.read_text().splitlines())

    def repair(self) -> None:
        self._broken.unlink()


@pytest.fixture
def broken(tmp_path) -> Broken:
    return Broken(tmp_path)


def fail(template: TemplateProcess, times: int) -> None:
    """Let runs begin, each after the template has ended."""
    for _ in range(times):
        eventually(lambda: template._process.poll() is not None, "the end of the template")
        template.restart_if_ended()


def test_a_template_that_does_not_start_is_set_aside_and_the_status_tells_why(
    stack, broken, tmp_path, caplog, monkeypatch
):
    template = TemplateProcess(tmp_path / "sockets" / RUN_SOCKET, variables=broken.variables, pause=HOUR)
    fail(template, times=MAX_FAILED_STARTS + 3)
    assert broken.starts == MAX_FAILED_STARTS
    (line,) = [each.getMessage() for each in caplog.records if "template process" in each.message]
    assert "ended with exit status 7 3 times" in line
    link = stack.settings.runtime_dir / TEMPLATES_LINK
    published = link.readlink()
    link.unlink()
    link.symlink_to(tmp_path / "sockets")
    try:
        status = format_status(stack.settings)
    finally:
        link.unlink()
        link.symlink_to(published)
    assert "as new interpreters: the process that they would be forks of ended with exit status 7 3 times" in status
    template.close()
    assert not (tmp_path / "sockets").exists()


def test_a_template_is_tried_again_after_a_pause(broken, tmp_path):
    template = TemplateProcess(tmp_path / "sockets" / RUN_SOCKET, variables=broken.variables, pause=0.0)
    fail(template, times=MAX_FAILED_STARTS)
    broken.repair()
    template.restart_if_ended()
    eventually(template.socket.exists, "the template to start", seconds=300)
    template.close()
    assert broken.starts == MAX_FAILED_STARTS + 1
