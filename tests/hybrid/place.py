"""One team's place: its kernel, its stock Prefect worker and its store, with a recording proxy before its Prefect server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

from satflow_ext import runs
from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import PrefectFailed
from satflow_ext.models import RunRequest
from tests.hybrid import notebook
from tests.hybrid.canaries import Canaries
from tests.hybrid.recording import Recording, recorded
from tests.kernel.kernel_process import Kernel
from tests.prefect_objects import until_pool_exists
from tests.registration.nginx import running_nginx

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
AT_ONCE = "1"
"""Flow runs of one Prefect worker at a time: three Prefect workers share two cores and one SQLite database."""

PATIENCE = 5400
"""Seconds for whatever needs a busy Prefect server."""

SECRETS = 'secrets=["<<secret_in_use>>", "A_FILE", "<<secret_of_block_name>>"]'


@dataclass(frozen=True)
class Cycle:
    """How a flow is registered, and how its run ends."""

    how: str = "flow"
    options: str = SECRETS
    store: str = "<<store>>"


CYCLES = {
    "threads": Cycle(),
    "processes": Cycle(options=f"executor='processes', max_workers=1, {SECRETS}"),
    "dask-local": Cycle(options=f"executor='dask-local', n_workers=1, {SECRETS}"),
    "no secret": Cycle(options='secrets=["<<secret_missing>>"]'),
    "no store": Cycle(options="", store="<<store>>b"),
    "no cluster": Cycle("cluster", "executor='dask-address', address='tcp://<<cluster_address>>.invalid:8786'"),
    "exit": Cycle("exit", ""),
    "return": Cycle("return", ""),
}
"""Every way in which a run ends here; all but the last fail."""


@dataclass
class Place:
    """A place in which cycles can be done, and what was recorded of them."""

    canaries: Canaries
    recording: Recording
    kernel: Kernel
    proxied: PrefectApi
    direct: PrefectApi
    cycle: int = 0
    quick: set[str] = field(default_factory=set)

    def register(self, kind: str) -> str:
        """Register the notebook's flow as a new version; the deployment's id."""
        self.cycle += 1
        cycle, planted = CYCLES[kind], self.canaries.planted
        self.kernel.run(planted(f"import os; os.environ['SATFLOW_STORE'] = '{cycle.store}'; CYCLE = {self.cycle}"))
        for cell in notebook.CELLS:
            self.kernel.run(planted(cell))
        name = f"<<deployment>>-{kind.replace(' ', '-')}"
        words = notebook.REGISTER.replace("<<deployment>>", name).replace("OPTIONS", cycle.options)
        self.kernel.run(planted(words))
        return self.kernel.value("_made.registered.deployment.id").strip("'")

    def start_quickly(self, deployment_id: str) -> None:
        """Have runs of a deployment start in one process less, as the local stack has it."""
        if deployment_id in self.quick:
            return
        change = {"job_variables": {"command": f"{sys.executable} -m prefect.engine"}}
        busy = httpx.codes.SERVICE_UNAVAILABLE  # SQLite, with others that write
        with self._asking() as client:
            while (answer := client.patch(f"/deployments/{deployment_id}", json=change)).status_code == busy:
                time.sleep(0.2)
            answer.raise_for_status()
        self.quick.add(deployment_id)

    def switch_off(self, deployment_id: str) -> None:
        """Switch its schedule off, as somebody does in Prefect's own screens."""
        with self._asking() as client:
            (schedule,) = client.get(f"/deployments/{deployment_id}").json()["schedules"]
            place = f"/deployments/{deployment_id}/schedules/{schedule['id']}"
            client.patch(place, json={"active": False}).raise_for_status()

    def start(self, kind: str, deployment_id: str) -> str:
        """Start a run of it; the run's id."""
        parameters = {"how": CYCLES[kind].how, "given": self.canaries["set_for_the_run"]}
        request = RunRequest(deployment_id=deployment_id, parameters=parameters, idempotency_key=str(uuid4()))
        for _patience in range(8):
            with suppress(PrefectFailed):
                return asyncio.run(runs.start_run(self.proxied, request)).id
        return asyncio.run(runs.start_run(self.proxied, request)).id

    def ended(self, kind: str, deployment_id: str, run_id: str) -> str:
        """The name of the run's last state; of another run where a busy Prefect server took this one from its Prefect worker."""
        state = self.state_after(run_id)
        while str(state["message"]).startswith("Failed to submit flow run"):
            state = self.state_after(self.start(kind, deployment_id))
        return state["name"]

    def state_after(self, run_id: str) -> dict[str, str]:
        """The run's last state, as Prefect has it."""
        deadline = time.monotonic() + PATIENCE
        with self._asking() as client:
            while True:
                with suppress(httpx.TransportError):  # no answer for want of processor time
                    answer = client.get(f"/flow_runs/{run_id}")
                    if answer.is_success and (state := answer.json()["state"])["type"] in ENDED:
                        return state
                assert time.monotonic() < deadline, f"flow run {run_id} does not end"
                time.sleep(0.5)

    def _asking(self) -> httpx.Client:
        """Asks the Prefect server itself, so that it is not recorded."""
        user, _, password = (self.direct.auth_string or "").partition(":")
        return httpx.Client(base_url=self.direct.url, auth=(user, password), trust_env=False, timeout=60)


@contextmanager
def place(folder: Path, house: Path, api: PrefectApi, canaries: Canaries, level: str | None) -> Iterator[Place]:
    """Everything of one place, while the block runs.

    Args:
        folder: for all its files.
        house: whatever has a state folder in it is looked for when the tests end.
        api: the Prefect server.
        canaries: what to plant.
        level: of `tell_prefect`, None for the default.
    """
    with ExitStack() as stack:
        recording = stack.enter_context(recorded(api.url))
        url = stack.enter_context(running_nginx(folder, f"Bearer {canaries['store_credential']}"))
        team = _environment(canaries, recording.url, api, url)
        kernel = Kernel(_kernel_home(folder, canaries), **team, **{canaries["environment_name"]: "1"})
        stack.callback(kernel.stop)
        kernel.patience = PATIENCE  # registering waits for a busy Prefect server
        _open_notebook(kernel, canaries)
        proxied = PrefectApi(recording.url, auth_string=api.auth_string)
        made = Place(canaries, recording, kernel, proxied, api)
        stack.enter_context(_worker(made, folder, house, team, level))
        yield made


def _environment(canaries: Canaries, prefect: str, api: PrefectApi, store: str) -> dict[str, str]:
    """What kernel and Prefect worker have in common."""
    name = canaries["store"]
    stores = {
        each: {
            "url": store.replace("{digest}", f"{canaries['store_path']}/{{digest}}"),
            "headers": {"Authorization": "TEAM"},
        }
        for each in (name, f"{name}b")
    }
    return {
        "PREFECT_API_URL": prefect,
        "PREFECT_API_AUTH_STRING": api.auth_string or "",
        "SATFLOW_STORE": name,
        "SATFLOW_STORES": json.dumps(stores),
        "TEAM": f"Bearer {canaries['store_credential']}",
        "A_VARIABLE_OF_THE_KERNEL": canaries["kernel_environment"],
    }


def _kernel_home(folder: Path, canaries: Canaries) -> Path:
    home = folder / canaries["kernel_home"] / canaries["notebook_folder"]
    home.mkdir(parents=True)
    return home


def _open_notebook(kernel: Kernel, canaries: Canaries) -> None:
    """Make of the kernel's folder a git repository with everything that lies beside a notebook."""
    beside = kernel.home
    (beside / f"{canaries['module']}.py").write_text(canaries.planted(notebook.MODULE))
    (beside / f"{canaries['file_name']}.csv").write_text(canaries["file_content"])
    (beside / f"{canaries['notebook_name']}.ipynb").write_text("{}")
    package = beside / f"{canaries['distribution']}-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {canaries['distribution']}\nVersion: 1.0\n")
    who = ("-c", f"user.name={canaries['git_author']}", "-c", "user.email=a@b")
    for words in (
        ("init", "-q", "-b", canaries["git_branch"]),
        ("add", f"{canaries['notebook_name']}.ipynb"),
        (*who, "commit", "-q", "-m", canaries["git_author"]),
    ):
        subprocess.run(["git", *words], cwd=beside, check=True)
    kernel.run(f"import sys; sys.path.insert(0, {str(beside)!r})")


@contextmanager
def _worker(made: Place, folder: Path, house: Path, team: Mapping[str, str], level: str | None) -> Iterator[None]:
    """A stock Prefect worker of another user, who was given the public key."""
    canaries, home = made.canaries, folder / made.canaries["worker_home"]
    mounted = folder / canaries["secrets_folder"]
    for each in (home, mounted):
        each.mkdir()
    (mounted / "A_FILE").write_text(canaries["secret_of_file"])
    key = made.kernel.value(
        "__import__('satflow_ext.keys').keys.Keyring(__import__('satflow_ext.settings').settings.load_settings()).get_signer().public_key.text"
    )
    stores = json.loads(team["SATFLOW_STORES"])
    stores[f"{canaries['store']}b"]["url"] = f"http://{canaries['store_host']}.invalid:8081/{{digest}}"
    there = {
        **os.environ,
        **team,
        "HOME": str(home),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "SATFLOW_STATE_DIR": str(house / canaries["worker_home"]),
        "SATFLOW_RUNTIME_DIR": str(home / "run"),
        "SATFLOW_SECRETS_DIR": str(mounted),
        "SATFLOW_STORES": json.dumps(stores),
        "SATFLOW_TRUSTED_KEYS": key.strip("'"),
        "A_VARIABLE_OF_THE_KERNEL": canaries["worker_environment"],
        canaries["secret_in_use"]: canaries["secret_of_environment"],
        **({"SATFLOW_TELL_PREFECT": level} if level else {}),
    }
    pool = ("--type", "process", "--pool", canaries["work_pool"], "--name", canaries["worker"], "--limit", AT_ONCE)
    command = [sys.executable, "-m", "prefect", "worker", "start", *pool]
    with (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, env=there, cwd=home, stdout=log, stderr=log)
    try:
        asyncio.run(until_pool_exists(made.direct, canaries["work_pool"]))
        yield
    finally:
        worker.terminate()
        worker.wait(timeout=60)
