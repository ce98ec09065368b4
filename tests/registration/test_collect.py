"""`satflow store collect` on the local stack: versions of what is registered stay, and only what nobody refers to goes."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import replace

from prefect import flow

from satflow_ext.cli import main
from satflow_ext.commands.store_collect import DAY, follow_references
from satflow_ext.deployments.journal import Journal
from satflow_ext.endpoints import PrefectApi
from satflow_ext.store.contents import Contents

ORPHAN = f"sha256:{hashlib.sha256(b'of nobody').hexdigest()}"


@flow
def collected(number: int = 1):
    return number


@flow
def of_another_api():
    pass


def collect(capsys, *words):
    assert main(["store", "collect", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def digests(kept):
    return {each["digest"] for each in kept}


def test_what_nobody_refers_to_goes_after_its_grace(stack, registered, name, capsys):
    registered(collected)
    done = registered(collected, parameters={"number": 2})
    assert done.deployment.version == 2
    contents = Contents(stack.settings.state_dir / "store", limit=10**6)
    entry = Journal(stack.settings).read_entry(stack.endpoints, f"collected/{name}")
    assert entry is not None
    assert entry.written is not None
    used = follow_references([entry.written.manifest], contents.read_content)
    assert len(used) == 4  # two versions, each a manifest and a content
    with contents.receive_content(ORPHAN) as incoming:
        incoming.write(b"of nobody")
        incoming.commit_content()

    found = collect(capsys)
    assert ORPHAN in digests(found["waiting"])
    assert not used & digests(found["waiting"])

    old = time.time() - 31 * DAY
    for digest in (ORPHAN, *used):
        os.utime(contents.content_path(digest), (old, old))
    marks = {ORPHAN: old}
    (contents.root / "unreferenced.json").write_text(json.dumps(marks))
    assert digests(collect(capsys, "--dry-run")["removed"]) == {ORPHAN}
    assert contents.get_size(ORPHAN) is not None
    assert digests(collect(capsys)["removed"]) == {ORPHAN}
    assert contents.get_size(ORPHAN) is None
    assert all(contents.get_size(digest) is not None for digest in used)


def test_what_another_prefect_api_pins_stays(stack, registered, name):
    """Nobody asks the other API, so the journal's word is taken."""
    registered(of_another_api)
    journal = Journal(stack.settings)
    entry = journal.read_entry(stack.endpoints, f"of-another-api/{name}")
    assert entry is not None
    assert entry.written is not None
    elsewhere = replace(stack.endpoints, prefect=PrefectApi("https://prefect.example.com/api"), local=False)
    assert entry.written.pin in journal.pins_elsewhere(elsewhere)
    assert entry.written.pin not in journal.pins_elsewhere(stack.endpoints)
