"""The loader: the one file that Prefect imports to get the flow, written by the pull step into the run's folder.

Pull steps run in another process, or earlier in the same one, and only files outlive them. When the pull step fails it writes a
loader of a flow that raises the reason, because an exception in the step itself never reaches the run's log, and one while the
flow is loaded makes Prefect say no more than that a process has crashed. Either loader takes the folder away when its process
ends. The names of these files begin with what no data file's may (`models.OWN_FILES`).
"""

from __future__ import annotations

import os
import shutil
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from satflow_ext.errors import SatflowError
from satflow_ext.runtime import this_run

if TYPE_CHECKING:
    from prefect import Flow

FILE = "satflow_flow.py"
MANIFEST = "satflow_manifest.json"
CONTENT = "satflow_content"

LOADS = '''"""Loads the flow that SatFlow registered."""
import atexit
import shutil
from pathlib import Path

from satflow_ext.errors import SatflowError
from satflow_ext.runtime.load import load
from satflow_ext.runtime.loader import leave, raising

folder = Path(__file__).parent
atexit.register(shutil.rmtree, folder, ignore_errors=True)
try:
    flow = load(folder)
except SatflowError as error:
    flow = raising(error)
except BaseException:
    atexit.unregister(shutil.rmtree)
    atexit.register(leave, folder)
    raise
'''

RAISES = '''"""Says why the flow that SatFlow registered could not be fetched."""
import atexit
import shutil
from pathlib import Path

from satflow_ext import errors
from satflow_ext.runtime.loader import raising
from satflow_ext.redaction import guard

atexit.register(shutil.rmtree, Path(__file__).parent, ignore_errors=True)
guard.begin()
flow = raising(errors.{name}({message!r}, fix={fix!r}))
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


def raising(error: SatflowError) -> Flow[..., Any]:
    """A flow that fails with the error: so the run ends as FAILED, with the reason in its state."""
    from prefect import Flow

    def fails(**given: Any) -> NoReturn:
        raise error

    takes = [Parameter(name, Parameter.KEYWORD_ONLY) for name in this_run.parameter_names()]
    fails.__signature__ = Signature(takes)  # type: ignore[attr-defined]  # Prefect gives a flow no others
    return Flow(fn=fails, name="not-loaded", validate_parameters=False)


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
    """Write the loader of a flow that raises the error, so that it stands in the run's own log and state."""
    text = RAISES.format(name=type(error).__name__, message=error.message, fix=error.fix)
    (folder / FILE).write_text(text)
