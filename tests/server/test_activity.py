"""What a culler of idle servers sees: a browser that follows a run is activity, an open sidebar is not."""

from __future__ import annotations

from uuid import UUID

import pytest
from prefect.states import Completed

from satflow_ext.models import RunsFrame
from tests.eventually import eventually_async
from tests.prefect_clients import stock_client
from tests.server.new_runs import new_run

ACTIVITY = "satflow_ext_last_activity"


@pytest.fixture
def jp_server_config(jp_server_config):
    server = {**jp_server_config["ServerApp"], "tornado_settings": {"ws_ping_interval": 50}}
    return {**jp_server_config, "ServerApp": server}


async def test_a_followed_run_is_activity_until_it_ends(open_tab, prefect_api, jp_serverapp):
    extensions, settings = jp_serverapp.extension_manager, jp_serverapp.web_app.settings
    run_id = await new_run(prefect_api)
    async with open_tab() as tab:
        await tab.subscribe("runs")
        assert isinstance(await tab.frame(), RunsFrame)
        assert not extensions.any_activity()
        assert ACTIVITY not in settings

        await tab.subscribe("logs", run_id)
        await eventually_async(lambda: settings.get(ACTIVITY))
        assert jp_serverapp.web_app.last_activity() >= settings[ACTIVITY]
        assert extensions.any_activity()

        async with stock_client(prefect_api) as client:
            await client.set_flow_run_state(UUID(run_id), Completed(), force=True)
        await eventually_async(lambda: not extensions.any_activity())
