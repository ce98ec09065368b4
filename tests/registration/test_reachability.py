"""What only the one who registers knows, a flow run of the local stack does not: it is refused, or travels with the manifest."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from prefect import flow

from satflow_ext.endpoints import Store
from satflow_ext.errors import SettingsWrong, StoreUnreachable
from satflow_ext.models import Registration
from satflow_ext.registration import register


@flow
def somewhere():
    return 1


def test_a_store_that_the_local_stack_does_not_know_is_refused(stack, packed, settings_file, name, closed_port):
    url = f"http://127.0.0.1:{closed_port}/{{digest}}"
    late = replace(stack.endpoints, store=Store("late", url))

    def attempt():
        asyncio.run(register(packed(somewhere), Registration(name=name), late, stack.settings))

    with pytest.raises(SettingsWrong, match=r"has no store called 'late'.*satflow\.toml.*satflow down"):
        attempt()
    settings_file.write_text("[stores.late]\nurl = 'http://elsewhere.example/{digest}'\n")
    with pytest.raises(SettingsWrong, match="has another address or credential for the store 'late'"):
        attempt()
    settings_file.write_text(f"[stores.late]\nurl = '{url}'\nheaders = {{ Authorization = 'LATE_CREDENTIAL' }}\n")
    with pytest.raises(SettingsWrong, match="or lacks its credential"):
        attempt()
    settings_file.write_text(f"[stores.late]\nurl = '{url}'\n")
    with pytest.raises(StoreUnreachable):  # what is known is asked; nothing listens there
        attempt()
