"""The loader: the one file that Prefect imports to get the flow, written by the pull step into the run's folder.

Pull steps run in another process, or earlier in the same one, and only files outlive them. When the pull step fails it writes a
loader that raises, because an exception in the step itself never reaches the run's log. Either loader takes the folder away when
its process ends. The names of these files begin with what no data file's may (`models.OWN_FILES`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from satflow_ext.errors import SatflowError
from satflow_ext.runtime import this_run

FILE = "satflow_flow.py"
MANIFEST = "satflow_manifest.json"
CONTENT = "satflow_content"

LOADS = '''"""Loads the flow that SatFlow registered."""
import atexit
import shutil
from pathlib import Path

from satflow_ext.runtime.load import load
from satflow_ext.runtime.loader import leave

folder = Path(__file__).parent
atexit.register(shutil.rmtree, folder, ignore_errors=True)
try:
    flow = load(folder)
except BaseException:
    atexit.unregister(shutil.rmtree)
    atexit.register(leave, folder)
    raise
'''

RAISES = '''"""Says why the flow that SatFlow registered could not be fetched."""
import atexit
from pathlib import Path

from satflow_ext import errors
from satflow_ext.runtime.loader import leave
from satflow_ext.telling import guard

atexit.register(leave, Path(__file__).parent)
guard.begin()
raise errors.{name}({message!r}, fix={fix!r})
'''


EMPTY = '''"""Stands for a flow where no flow runs: it does nothing and has no hooks."""
import atexit
import shutil
from pathlib import Path

from prefect import Flow

atexit.register(shutil.rmtree, Path(__file__).parent, ignore_errors=True)
flow = Flow(fn=lambda: None, name="elsewhere")
'''


def write(folder: Path) -> None:
    """Write the loader of a flow whose content and manifest are in the folder."""
    (folder / FILE).write_text(LOADS)


def write_empty(folder: Path) -> None:
    """Write a loader of a flow that does nothing."""
    (folder / FILE).write_text(EMPTY)


def leave(folder: Path) -> None:
    """Take the folder of a run away whose flow was not loaded.

    Where Prefect has done the pull steps for this process, it asks for the flow once more in this folder, for hooks to call
    because the run has crashed. So an empty one is left there, which takes the folder away when it has been asked.
    """
    if this_run.ENTRYPOINT not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for each in folder.iterdir():
        shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink(missing_ok=True)
    write_empty(folder)


def write_failure(folder: Path, error: SatflowError) -> None:
    """Write a loader that raises the error, so that it stands in the run's own log."""
    text = RAISES.format(name=type(error).__name__, message=error.message, fix=error.fix)
    (folder / FILE).write_text(text)
