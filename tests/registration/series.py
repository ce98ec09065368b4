"""Registrations of one deployment after the other, of which some are killed or fail, and what must hold after each."""

from __future__ import annotations

import asyncio
import json

from prefect import flow

from satflow_ext.deployments import queries, versions, write_marker
from satflow_ext.deployments.journal import Journal
from satflow_ext.keys import read_trusted_keys
from satflow_ext.models import CronSchedule, Registration
from satflow_ext.prefect_api import prefect_client
from satflow_ext.prefect_names import read_deployment
from satflow_ext.registration import register
from satflow_ext.versions import content_download


@flow
def counts(count: int = 1):
    return count


class Series:
    """The registrations of one test.

    `endpoints` may be put where something goes wrong; what holds is always asked of the stack itself.
    """

    def __init__(self, stack, packed, name, process=None):
        self._stack, self._packed, self._name, self._process = stack, packed(counts), name, process
        self._number = 0
        self.name = name

    def attempt(self, **how):
        """A registration in a process of its own: how it ended (see victims.py)."""
        choice = self._choose().model_dump(mode="json")
        order = {"packed": self._packed.model_dump(mode="json"), "choice": choice, **how}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def register(self, endpoints):
        """A registration in this process."""
        return self._register(self._choose(), endpoints)

    def another(self):
        """Go on with a deployment that is not there yet."""
        self.name = f"{self._name}-{self._number}"

    def check(self, before, what):
        """After a registration that may have been cut off, the old version or the new one is there, and the next one heals."""
        assert self.version() in (before, before + 1), what
        assert self._again() == before + 1, what
        assert self.version() == before + 1, what

    def version(self):
        """The version that is live and whole, 0 for none: one row, whose manifest and content fit it and each other."""
        return asyncio.run(self._version())

    async def _version(self):
        async with prefect_client(self._stack.endpoints.prefect) as client:
            row = await read_deployment(client, f"counts/{self.name}")
            named = [each for each in await client.read_deployments(limit=200) if each.name == self.name]
        if row is None:
            return 0
        chain = await versions.build_chain(row, f"counts/{self.name}", self._stack.endpoints.store)
        brought = await content_download.download_version(
            chain, chain.newest, read_trusted_keys(self._stack.settings)
        )  # checked as a flow run does
        live = await queries.get_deployment(self._stack.endpoints, str(row.id))
        assert (brought.manifest.version, live.drift, row.paused) == (int(row.version), (), False)
        assert [each.id for each in named] == [row.id]
        return int(row.version)

    def _again(self):
        """The last registration once more; afterwards nothing tells of a cut."""
        done = self._register(self._chosen(), self._stack.endpoints)
        entry = Journal(self._stack.settings).read_entry(self._stack.endpoints, f"counts/{self.name}")
        assert (entry.begun, entry.written.manifest) == (None, done.manifest)
        assert asyncio.run(self._seen(entry)) == entry.written.number
        return done.deployment.version

    async def _seen(self, entry):
        async with prefect_client(self._stack.endpoints.prefect) as client:
            return await write_marker.read_marker(client, entry.marker_name)

    def _register(self, choice, endpoints):
        return asyncio.run(register(self._packed, choice, endpoints, self._stack.settings))

    def _choose(self):
        """Other choices than those before."""
        self._number += 1
        return self._chosen()

    def _chosen(self):
        number = self._number
        schedule = CronSchedule(cron=f"{number % 60} 6 * * *")
        return Registration(name=self.name, schedules=(schedule,), parameters={"count": number}, tags=(f"n{number}",))
