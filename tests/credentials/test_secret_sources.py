"""The nearest place that has a secret gives it; what nobody has is named with all places."""

from __future__ import annotations

import asyncio
import os
from uuid import uuid4

import pytest
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from satflow_ext.errors import SecretsMissing
from satflow_ext.runtime import load


@pytest.fixture
def here(stack, tmp_path):
    """Settings with a folder of mounted secrets, where Prefect knows its API as in a flow run."""
    api = stack.endpoints.prefect
    with temporary_settings({PREFECT_API_URL: api.url, PREFECT_API_AUTH_STRING: api.auth_string}):
        yield stack.settings.model_copy(update={"secrets_dir": tmp_path})


@pytest.fixture
def name():
    return f"A_{uuid4().hex[:8].upper()}"


@pytest.fixture
def block(here, name):
    """A Prefect Secret block with the secret's name, as Prefect spells it."""

    def save(value):
        asyncio.run(Secret(value=value).asave(load.secret_block_name(name), overwrite=True))

    return save


@pytest.mark.parametrize("value", ["from block", "12345", '{"user": "x"}'])
def test_prefect_secret_block(here, name, block, value):
    block(value)
    assert load.find_secrets([name], here) == {name: value}


def test_a_block_that_holds_an_object_gives_json(here, name, block):
    block({"user": "x"})
    assert load.find_secrets([name], here) == {name: '{"user": "x"}'}


def test_file_before_block_and_environment_before_both(here, name, block, tmp_path, monkeypatch):
    block("from block")
    (tmp_path / name).write_text("from file\n")
    assert load.find_secrets([name], here) == {name: "from file"}
    monkeypatch.setenv(name, "from environment")
    assert load.find_secrets([name], here) == {name: "from environment"}


@pytest.mark.usefixtures("block")
def test_missing_ones_are_named_with_where_was_looked(here, name, tmp_path):
    with pytest.raises(SecretsMissing) as caught:
        load.find_secrets(["PATH", name, "OTHER"], here)
    for words in (name, "OTHER", str(tmp_path), load.secret_block_name(name), "environment"):
        assert words in str(caught.value)
    assert os.environ["PATH"] not in str(caught.value)


@pytest.mark.parametrize("data", [b"x" * 70_000, b"a\0b"])
def test_a_file_that_is_no_text(here, name, tmp_path, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SecretsMissing, match="cannot be used as a secret"):
        load.find_secrets([name], here)
