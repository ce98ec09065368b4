"""The loader: the one file that Prefect imports to get the flow, written by the pull step into the run's folder.

Pull steps run in another process, or earlier in the same one, and only files outlive them. When the pull step fails it writes a
loader that raises, because an exception in the step itself never reaches the run's log. Either loader takes the folder away when
its process ends. The names of these files begin with what no data file's may (`models.OWN_FILES`).
"""

from __future__ import annotations

from pathlib import Path

from satflow_ext.errors import SatflowError

FILE = "satflow_flow.py"
MANIFEST = "satflow_manifest.json"
CONTENT = "satflow_content"

LOADS = '''"""Loads the flow that SatFlow registered."""
import atexit
import shutil
from pathlib import Path

from satflow_ext.runtime.load import load

folder = Path(__file__).parent
atexit.register(shutil.rmtree, folder, ignore_errors=True)
flow = load(folder)
'''

RAISES = '''"""Says why the flow that SatFlow registered could not be fetched."""
import atexit
import shutil
from pathlib import Path

from satflow_ext import errors

atexit.register(shutil.rmtree, Path(__file__).parent, ignore_errors=True)
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


def write_failure(folder: Path, error: SatflowError) -> None:
    """Write a loader that raises the error, so that it stands in the run's own log."""
    text = RAISES.format(name=type(error).__name__, message=error.message, fix=error.fix)
    (folder / FILE).write_text(text)
