"""The loader: the file that Prefect imports to get the flow, written by the pull step into the run's folder.

Pull steps run in another process, or earlier in the same one, and only files outlive them. If the pull step fails, it writes a
loader of a flow that raises the reason: an exception in the step itself never reaches the run's log, and for an exception while
the flow is loaded, Prefect reports only that a process has crashed. Both loaders remove the folder when their process ends. The
names of these files begin with a prefix that data files must not have (`models.RESERVED_PREFIX`).
"""

from __future__ import annotations

import os
import shutil
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from satflow_ext.errors import SatflowError
from satflow_ext.models import HookKind
from satflow_ext.runtime import this_run

if TYPE_CHECKING:
    from prefect import Flow

LOADER_FILE = "satflow_flow.py"
MANIFEST_FILE = "satflow_manifest.json"
CONTENT_FILE = "satflow_content"
STORE_FILE = "satflow_store"
"""File with the name of the store that the content comes from, to which the result goes."""

LOADER_CODE = '''"""Load the flow that SatFlow registered."""
import atexit
import shutil
from pathlib import Path

from satflow_ext.errors import SatflowError
from satflow_ext.runtime.load import load_pulled_flow
from satflow_ext.runtime.loader import failing_flow, remove_folder

folder = Path(__file__).parent
atexit.register(shutil.rmtree, folder, ignore_errors=True)
try:
    flow = load_pulled_flow(folder)
except SatflowError as error:
    flow = failing_flow(error)
except BaseException:
    atexit.unregister(shutil.rmtree)
    atexit.register(remove_folder, folder)
    raise
'''

FAILURE_CODE = '''"""Raise the reason why the flow that SatFlow registered was not fetched."""
import atexit
import shutil
from pathlib import Path

from satflow_ext import errors
from satflow_ext.redaction import guard
from satflow_ext.runtime.loader import failing_flow

atexit.register(shutil.rmtree, Path(__file__).parent, ignore_errors=True)
guard.start_redaction()
flow = failing_flow(errors.{name}({message!r}, fix={fix!r}))
'''

PLACEHOLDER_CODE = '''"""Define a placeholder for the flow outside of flow runs."""
import atexit
import shutil
from pathlib import Path

from satflow_ext.runtime.hooks import create_placeholder

atexit.register(shutil.rmtree, Path(__file__).parent, ignore_errors=True)
flow = create_placeholder({hooks!r})
'''


def write_loader(folder: Path) -> None:
    """Write the loader of a flow whose content and manifest are in the folder."""
    (folder / LOADER_FILE).write_text(LOADER_CODE)


def write_placeholder_loader(folder: Path, hooks: tuple[HookKind, ...] = ()) -> None:
    """Write a loader of a flow that does nothing, and has hooks of these kinds."""
    (folder / LOADER_FILE).write_text(PLACEHOLDER_CODE.format(hooks=hooks))


def failing_flow(error: SatflowError) -> Flow[..., Any]:
    """Return a flow that fails with the error, so that the run ends as FAILED with the reason in its state."""
    from prefect import Flow

    def fails(**given: Any) -> NoReturn:
        raise error

    parameters = [Parameter(name, Parameter.KEYWORD_ONLY) for name in this_run.parameter_names()]
    fails.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # Prefect passes no other parameters
    return Flow(fn=fails, name="not-loaded", validate_parameters=False)


def remove_folder(folder: Path) -> None:
    """Remove the folder of a run whose flow was not loaded.

    If Prefect ran the pull steps for this process, it loads the flow once more from this folder, to call the hooks of the
    crashed run. So the folder keeps the loader of a placeholder, which removes the folder afterwards.
    """
    if this_run.ENTRYPOINT not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for each in folder.iterdir():
        shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink(missing_ok=True)
    write_placeholder_loader(folder)


def write_failure_loader(folder: Path, error: SatflowError) -> None:
    """Write the loader of a flow that raises the error, so that the run's own log and state show it."""
    text = FAILURE_CODE.format(name=type(error).__name__, message=error.message, fix=error.fix)
    (folder / LOADER_FILE).write_text(text)
