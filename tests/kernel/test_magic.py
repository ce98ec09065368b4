"""`%register_flow` and `satflow_ext.register`, on the real local stack."""

from __future__ import annotations

import ast
import asyncio
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

from satflow_ext import runs
from satflow_ext.choices import parse_choice, parse_secret_names
from satflow_ext.choices.register_line import build_parser, parse_line
from satflow_ext.deployments import queries
from satflow_ext.display.registered_flow import RegisteredFlow
from satflow_ext.errors import BadRequest, DeploymentNotFound
from satflow_ext.models import (
    CronSchedule,
    Deployment,
    ExecutorChoice,
    Finding,
    Infrastructure,
    IntervalSchedule,
    Registered,
)
from tests.bad_clusters import BAD
from tests.webhook import Quiet, endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.kernel_process import Kernel
    from tests.local_stack import Stack

FLOW = "from prefect import flow\n@flow(name='%s', log_prints=True)\ndef main(n: int = 1):\n    print('n is', n)\n    return n"
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@pytest.fixture(scope="module")
def notebook(module_kernel: Kernel, stack: Stack) -> Kernel:
    module_kernel.run("%load_ext satflow_ext\nimport satflow_ext.errors")
    module_kernel.run(FLOW % "magic")
    return module_kernel


def said(kernel: Kernel, line: str) -> tuple[str, str, dict[str, str]]:
    """What a cell wrote to stdout and stderr, and the data of its result."""
    published = kernel.run(line)
    streams = {"stdout": "", "stderr": ""}
    data: dict[str, str] = {}
    for message in published:
        content = message["content"]
        if message["msg_type"] == "stream":
            streams[content["name"]] += content["text"]
        elif message["msg_type"] == "execute_result":
            data = content["data"]
    return streams["stdout"], streams["stderr"], data


def test_manages_shared_clusters(notebook: Kernel) -> None:
    said(notebook, "%register_flow main --name shares --executor dask-cluster")
    assert "magic/shares: no cluster" in said(notebook, "%dask_cluster list")[0]
    said(notebook, "%register_flow main --name alone")
    assert "magic/alone do not share a cluster" in said(notebook, "%dask_cluster start alone")[1]
    assert "See %dask_cluster --help." in said(notebook, "%dask_cluster scale")[1]
    assert "close  stop the cluster" in said(notebook, "%dask_cluster --help")[0]


def test_registers_and_runs(notebook: Kernel, stack: Stack) -> None:
    line = "%register_flow main --param n=7 --cron '0 6 * * *' --timezone Europe/Berlin --tag nightly"
    _, errors, data = said(notebook, line + " --run")
    assert errors == ""
    rows = dict(row.split(None, 1) for row in data["text/plain"].splitlines() if ":" in row.split()[0])
    assert rows["Deployment:"] == "magic/magic"
    assert rows["Version:"] == "1, registered"
    assert rows["Schedule:"] == "0 6 * * * (Europe/Berlin)"
    assert len([row for row in data["text/plain"].splitlines() if row.endswith((" CET", " CEST"))]) == 5
    assert "<td" in data["text/html"]
    assert _run_named(stack, rows["Run:"].split()[0]) == ("COMPLETED", {"n": 7})
    assert "Version:    1, unchanged, no new version was created" in said(notebook, line)[2]["text/plain"]
    assert "Version:    2, changed" in said(notebook, "%register_flow main --interval 3600")[2]["text/plain"]


def _run_named(stack: Stack, name: str) -> tuple[str, object]:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = asyncio.run(runs.list_runs(stack.endpoints.prefect, runs.run_list.RunQuery()))
        run = next(each for each in found if each.name == name)
        if run.state_type in FINAL:
            return run.state_type, run.parameters
        time.sleep(0.3)
    raise AssertionError("the run did not end")


def test_a_check_says_what_would_travel_and_sends_nothing(notebook: Kernel) -> None:
    _, errors, data = said(notebook, "%register_flow main --name checked --check")
    assert errors == ""
    assert "Clean load:    succeeded in a clean process" in data["text/plain"]
    assert data["text/plain"].endswith("can be registered")
    assert "<td" in data["text/html"]
    _, _, data = said(notebook, "%register_flow main --name checked")
    assert "Version:    1, registered" in data["text/plain"]


def test_python_does_the_same(notebook: Kernel) -> None:
    notebook.run(FLOW % "python")
    notebook.run(
        "import satflow_ext\nmade = satflow_ext.register(main, name='deployed', parameters={'n': 3}, tags=['x'])"
    )
    assert (
        notebook.value("made.registered.outcome, made.registered.deployment.name, made.run")
        == "('created', 'deployed', None)"
    )
    notebook.run("%register_flow main --name deployed --param n=3 --tag x")
    assert notebook.value("_.registered.outcome") == "'unchanged'"
    started_with = "infrastructure={'env': {'A': 'b c'}, 'job_variables': {'stream_output': False}}"
    notebook.run(
        f"made = satflow_ext.register(main, name='deployed', parameters={{'n': 3}}, tags=['x'], {started_with})"
    )
    notebook.run(
        "%register_flow main --name deployed --param n=3 --tag x --env 'A=b c' --job-variable stream_output=false"
    )
    assert notebook.value("made.registered.outcome, _.registered.outcome") == "('changed', 'unchanged')"


MISTAKES = {
    "mian": "This notebook has no flow called 'mian'. Did you mean main?\n",
    "": "The line names no flow. Write %register_flow my_flow; see --help.\n",
    "main --executor dask-locl": "No executor is called 'dask-locl'. Did you mean 'dask-local'?\n",
    "main --executer dask-local": "There is no option --executer. Did you mean --executor?\n",
    "main --n-workers 2": "The executor 'flow' has no option 'n_workers'.",
    "main --cron": "Cannot read the line: argument --cron: expected one argument. See %register_flow --help.\n",
    "main --cron '0 6 * * * *'": "A cron expression has five fields",
    "main --cron '0 6 * * *' --interval 5": "A cron line and an interval are both given. Give one of them, or several --sched",
    "main --interval soon": "Cannot read the line: argument --interval: 'soon' is not a number of seconds, such as 3600. ",
    "main --interval -5": "An interval of -5 seconds is not valid. Give more than 0 seconds and at most 36500 days.\n",
    "main --interval 9 --timezone Berlim": "No time zone is called 'Berlim'. Use an IANA name such as Europe/Berlin.\n",
    "main --param n": "The parameter 'n' lacks a name or a value. Write --param name=value.\n",
    "main --param n=many": "Parameter 'n' of flow 'words' does not fit its type int",
    "main --param m=1": "Flow 'words' has no parameter 'm'. It has: n.\n",
    "main --include *.csv --include ../x": "'*.csv' matches no file in ",
    "main --env REGION": "The environment variable 'REGION' lacks a name or a value. Write --env name=value.\n",
    "main --memory much": "--memory: it must be a number",
    "main --image Tiles:1": "--image: it does not have the required format",
    "main --memory 60000": "This machine has ",
    "main --gpus 4": "The work pool 'satflow-local', of type satflow, has no job variable for gpus. It has ",
    "main --job-variable working_dri=/x": "The work pool 'satflow-local' has no job variable 'working_dri'. Did you mean",
    "main --cron 0 6": "Two flows are named: main and 6. Options start with two dashes; a value with spaces needs quotes",
    "main --name 'x": "Cannot read the line: No closing quotation. Put the whole value between quotes.\n",
    "main --name a --name b": "Cannot read the line: --name is given twice. See %register_flow --help.\n",
    "main --work-pool nowhere": "Prefect has no work pool called 'nowhere'. Create it first.\n",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_message(line: str, notebook: Kernel) -> None:
    notebook.run(FLOW % "words")
    _, errors, data = said(notebook, f"%register_flow {line}")
    assert errors.startswith(MISTAKES[line])
    assert errors.count("\n") == 1
    assert "Traceback" not in errors
    assert data == {}


@pytest.mark.parametrize("which", BAD)
def test_clusters_that_nobody_can_have_are_told_here_and_in_python(which: str, notebook: Kernel) -> None:
    bad = BAD[which]
    _, errors, data = said(notebook, f"%register_flow main {shlex.join(bad.flags)}")
    assert errors.startswith(bad.said)
    assert (errors.count("\n"), data) == (1, {})
    arguments = f"executor={bad.executor!r}, **{bad.options!r}"
    notebook.run(
        f"try:\n    satflow_ext.register(main, {arguments})\nexcept satflow_ext.errors.SatflowError as e: told = e"
    )
    assert notebook.value("type(told).__name__, told.field") == repr((bad.error, bad.field))
    assert notebook.value(f"str(told).startswith({bad.said!r})") == "True"


def test_n_workers_without_a_value_is_not_one(notebook: Kernel) -> None:
    told = "The option 'n_workers' of executor 'dask-local' is invalid: it needs a value other than true or false.\n"
    assert said(notebook, "%register_flow main --executor dask-local --n-workers")[1] == told


def test_help(notebook: Kernel) -> None:
    assert said(notebook, "%register_flow --help")[0] == build_parser().format_help()


def test_braces_and_dollars_reach_the_flow(notebook: Kernel) -> None:
    notebook.run("n = 5\n@flow(name='braces')\ndef main(config: dict, text: str = ''): return config")
    notebook.run("""%register_flow main --param 'config={"a": [1, {"b": null}]}' --param 'text=$n {n}'""")
    assert (
        notebook.value("_.registered.deployment.parameters") == "{'config': {'a': [1, {'b': None}]}, 'text': '$n {n}'}"
    )


def test_values_are_of_the_parameters_types_here_and_in_python(notebook: Kernel) -> None:
    notebook.run(
        "import datetime as dt\nfrom decimal import Decimal\n"
        "@flow\ndef typed(zip: str, price: Decimal, clock: dt.time, span: dt.timedelta): pass"
    )
    notebook.run("%register_flow typed --param zip=12345 --param price=2.50 --param clock=07:30:00 --param span=3600")
    stored = "_.registered.outcome, _.registered.deployment.parameters"
    parameters = {"zip": "12345", "price": "2.50", "clock": "07:30:00", "span": "PT1H"}
    assert ast.literal_eval(notebook.value(stored)) == ("created", parameters)
    notebook.run(
        "satflow_ext.register(typed, parameters={'zip': '12345', 'price': Decimal('2.50'), 'clock': dt.time(7, 30), "
        "'span': dt.timedelta(hours=1)})"
    )
    assert ast.literal_eval(notebook.value(stored)) == ("unchanged", parameters)
    notebook.run("del typed")


def test_left_to_the_command_that_executes_the_notebook(notebook: Kernel) -> None:
    notebook.run("import os\nos.environ['SATFLOW_EXECUTING'] = '1'")
    output, _, data = said(notebook, "%register_flow main")
    notebook.run("import satflow_ext; left = satflow_ext.register(main)")
    notebook.run("del os.environ['SATFLOW_EXECUTING']")
    assert notebook.value("left") == "None"
    assert (output, data) == (
        "Skipped: `satflow register`, which executes this notebook, registers the flow.\n",
        {},
    )


COMPLETIONS = {
    "%register_flow ": ["main"],
    "%register_flow ma": ["main"],
    "%register_flow main --exec": ["--executor"],
    "%register_flow main --executor ": [
        *("flow", "threads", "processes", "dask-local", "dask-cluster", "dask-client", "dask-address", "ray"),
    ],
    "%register_flow main --executor dask-l": ["dask-local"],
    "%register_flow main --environment re": ["refuse", "recreate"],
    "%register_flow main --missed-runs a": ["all"],
    "%register_flow main --executor dask-local --n-w": ["--n-workers"],
    "%register_flow main --executor threads --n-w": [],
}


@pytest.mark.parametrize("line", COMPLETIONS)
def test_completes(line: str, notebook: Kernel) -> None:
    notebook.run("config = 1")
    completed = notebook.value(f"' '.join(get_ipython().complete('', {line!r}, {len(line)})[1])")
    assert completed == repr(" ".join(COMPLETIONS[line]))


def test_in_a_notebook_executed_by_nbclient(stack: Stack, tmp_path: Path) -> None:
    document = nbformat.v4.new_notebook()
    cells = ["%load_ext satflow_ext", FLOW % "executed", "%register_flow main --tag nbclient"]
    document.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(document, kernel_name="python3", timeout=120, resources=resources).execute(env=_here())
    assert "executed/executed" in document.cells[2].outputs[-1]["data"]["text/html"]


def test_in_plain_ipython(stack: Stack, tmp_path: Path) -> None:
    code = (
        f"{FLOW % 'terminal'}\nip = get_ipython()\nip.run_line_magic('load_ext', 'satflow_ext')\n"
        "print(ip.run_line_magic('register_flow', 'main'))"
    )
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=_here(), capture_output=True, text=True, timeout=120, check=True)
    assert "Deployment: terminal/terminal\nVersion:    1, registered" in done.stdout


def test_in_plain_python(stack: Stack, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"{FLOW % 'script'}\nimport satflow_ext\nprint(satflow_ext.register(main))")
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=tmp_path, env=_here(), capture_output=True, text=True, timeout=120, check=True)
    assert "Deployment: script/script\nVersion:    1, registered" in done.stdout


def test_an_interrupt_ends_registering(stack: Stack, tmp_path: Path, settings_file: Path) -> None:
    asked, over = threading.Event(), threading.Event()

    class Hangs(Quiet):
        def do_PUT(self) -> None:  # noqa: N802 - the name that http.server looks for
            asked.set()
            over.wait()

    with endpoint(Hangs) as url:
        settings_file.write_text(f"[stores.hangs]\nurl = '{url}/{{digest}}'\ntimeout = 600\n")
        script = tmp_path / "script.py"
        script.write_text(f"{FLOW % 'interrupted'}\nimport satflow_ext\nsatflow_ext.register(main)")
        environment = {**_here(), "SATFLOW_STORE": "hangs"}
        process = subprocess.Popen([sys.executable, str(script)], env=environment, stderr=subprocess.PIPE, text=True)
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)  # the store would have had ten minutes
        over.set()
    assert said.rstrip().endswith("KeyboardInterrupt")
    with pytest.raises(DeploymentNotFound):
        asyncio.run(queries.find_deployment(stack.endpoints, "interrupted/interrupted"))


def _here() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.getcwd()}


def test_executor_options_in_every_spelling() -> None:
    words = parse_line("--n-workers=2 main --worker-size large --flag --threads-per-worker 1 --run")
    assert words.flow == "main"
    assert words.registration.executor.options == {
        "n_workers": 2,
        "worker_size": "large",
        "flag": True,
        "threads_per_worker": 1,
    }
    assert words.run


def test_policy_and_names_of_secrets() -> None:
    said = parse_line("main --environment refuse --secret A_KEY --secret B --secret A_KEY").registration
    assert (said.environment, said.secrets) == ("refuse", ("A_KEY", "B"))


def test_unknown_policy() -> None:
    with pytest.raises(BadRequest, match="'ignore' is not an environment policy"):
        parse_choice("environment", "ignore")


def test_unknown_choice_of_missed_runs() -> None:
    with pytest.raises(BadRequest, match="'first' is not a choice of missed runs"):
        parse_choice("missed_runs", "first")


def test_a_value_in_place_of_a_secrets_name_is_not_repeated() -> None:
    with pytest.raises(BadRequest, match="an invalid name") as caught:
        parse_secret_names(["wJalr+XUtn/FEMI"])
    assert "wJalr" not in str(caught.value)


def test_a_flow_named_twice() -> None:
    with pytest.raises(BadRequest, match="Two flows are named: a and b"):
        parse_line("a b")


def test_what_is_shown_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    when = datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc)
    deployment = Deployment(
        id="1",
        name=bad,
        flow_name=bad,
        version=1,
        executor=ExecutorChoice(name=bad),
        fingerprint=None,
        notebook=None,
        registered_at=None,
        manifest_problem=None,
        parameters={},
        parameter_schema={},
        schedules=(CronSchedule(cron=bad, timezone=bad),),
        notify=(),
        trigger=(),
        paused=False,
        work_pool=bad,
        tags=(),
        environment="warn",
        missed_runs="last",
        secrets=(),
        include=(),
        infrastructure=Infrastructure(),
        description=bad,
        concurrency_limit=None,
        collision_strategy="enqueue",
        retries=None,
        retry_delay=None,
        timeout=None,
        next_runs=(when,),
        drift=(),
    )
    digest = "sha256:" + "0" * 64
    made = Registered(
        deployment=deployment,
        outcome="created",
        content=digest,
        content_size=1,
        manifest=digest,
        files=(),
        kept=(),
        warnings=(
            Finding(kind="credential", level="warning", where="main -> KEY", message="looks odd", fix="Declare it."),
        ),
    )
    shown = RegisteredFlow(made, None)
    assert "Warning:    main -> KEY: looks odd. Declare it." in repr(shown)
    assert [each.where for each in shown.warnings] == ["main -> KEY"]
    assert "<script" not in shown._repr_html_()
    assert shown._repr_html_().count("&lt;script&gt;") == 6
    assert "Fri 02 Jan 2026 03:04 UTC" in repr(shown)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3600, "every hour"),
        (7200, "every 2 hours"),
        (86400, "every day"),
        (90, "every 90 seconds"),
        (0.5, "every 0.5 seconds"),
    ],
)
def test_an_interval_in_words(seconds: float, words: str) -> None:
    from satflow_ext.display.registered_flow import schedule_text

    assert schedule_text(IntervalSchedule(seconds=seconds)) == f"{words} (UTC)"
