"""A run whose process is gone is Crashed with the true cause, and a restart of the Prefect server alone harms no run."""

from __future__ import annotations

from pathlib import Path

from satflow_ext import lease
from satflow_ext.stack.orphaned_runs import PROCESS_KILLED, WORKER_DIED
from tests.eventually import eventually
from tests.stack.kills import PATIENCE, begun, ended, kill, service, state
from tests.stack.place import Place


def test_the_cause_of_a_crash_is_told_apart(whole: Place, tmp_path: Path) -> None:
    with lease.acquire_lease(whole.settings) as held:
        assert held.record is not None
        with_its_worker = begun(held.record, tmp_path / "with its worker")
        kill(whole, "prefect-worker", tmp_path / "with its worker")
        assert ended(held.record, with_its_worker).message == WORKER_DIED

        after_its_worker = begun(held.record, tmp_path / "after its worker")
        kill(whole, "prefect-worker")
        eventually(lambda: service(whole, "prefect-worker").restarts == 2, "the next worker", seconds=PATIENCE)
        eventually(lambda: service(whole, "prefect-worker").state == "ready", "the next worker", seconds=PATIENCE)
        kill(whole, None, tmp_path / "after its worker")
        assert ended(held.record, after_its_worker).message == PROCESS_KILLED

        unharmed = begun(held.record, tmp_path / "unharmed")
        kill(whole, "prefect-server")
        eventually(lambda: service(whole, "prefect-server").restarts == 1, "the next server", seconds=PATIENCE)
        eventually(lambda: service(whole, "prefect-server").state == "ready", "the next server", seconds=PATIENCE)
        assert state(held.record, unharmed).is_running()
        status = whole.satflow("status").stdout
        assert "restarted once after it was killed by SIGKILL" in status
        assert "restarted 2 times after it was killed by SIGKILL" in status
