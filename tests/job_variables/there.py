"""Asks the packages of Prefect's worker types; run by the interpreter that has them. JSON in, JSON out.

Without `job_variables`, answers with the default base job template; with them, with what the Prefect worker would start.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from docker.types import HostConfig
from prefect.client.orchestration import PrefectClient
from prefect_docker.worker import DockerWorker
from prefect_kubernetes.worker import KubernetesWorker

WORKERS = {"kubernetes": KubernetesWorker, "docker": DockerWorker}
NOWHERE = "http://127.0.0.1:1/api"


async def answer(question: dict[str, Any]) -> Any:
    worker = WORKERS[question["type"]]
    if "job_variables" not in question:
        return worker.get_default_base_job_template()
    job = await worker.job_configuration.from_template_and_values(
        base_job_template=question["template"], values=question["job_variables"], client=PrefectClient(NOWHERE)
    )
    told = job.model_dump(mode="json")
    if question["type"] == "docker":
        # As docker-py hands it to the Docker engine.
        told["host_config"] = HostConfig(version="1.45", mem_limit=job.mem_limit, **(job.container_create_kwargs or {}))
    return told


async def main() -> None:
    print(json.dumps([await answer(question) for question in json.load(sys.stdin)]))  # noqa: T201


asyncio.run(main())
