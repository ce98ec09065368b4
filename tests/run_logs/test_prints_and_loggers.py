"""What a flow prints and logs with Python's own loggers is in the run's log, if the registration says so."""

from __future__ import annotations

import logging

from prefect import flow, task

from tests.flow_runs import ended, log_of, start_run


@task
def cut():
    print("printed by a task")  # noqa: T201  # it is about prints


@flow
def talks():
    print("printed by the flow")  # noqa: T201
    logging.getLogger("tiles.io").warning("a warning of a library")
    logging.getLogger("tiles").setLevel("INFO")
    logging.getLogger("tiles.io").info("information of a library")
    cut()


LINES = ("printed by the flow", "printed by a task", "a warning of a library", "information of a library")


def test_settings_of_prefect_in_the_environment_of_runs_add_lines_to_the_log(stack, registered):
    silent = registered(talks)
    run_id = start_run(stack, silent.deployment.id)
    ended(stack, run_id)
    assert not [line for line in LINES if line in log_of(stack, run_id)]
    loud = {"PREFECT_LOGGING_LOG_PRINTS": "true", "PREFECT_LOGGING_EXTRA_LOGGERS": "tiles"}
    run_id = start_run(stack, registered(talks, infrastructure={"env": loud}).deployment.id)
    ended(stack, run_id)
    assert [line for line in LINES if line in log_of(stack, run_id)] == [*LINES]
