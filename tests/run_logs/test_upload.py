"""Uploading to a real Prefect server: each line once, however connections and uploaders end."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.sorting import LogSort

from satflow_ext.prefect_api import prefect_client
from satflow_ext.run_logs.log_api import LocalLogApi, PrefectLogApi
from satflow_ext.run_logs.spool import SpoolWriter, spool_files
from satflow_ext.run_logs.upload import BATCH_BYTES, BATCH_LINES, LogUploader
from satflow_ext.runs.log_pages import read_log_pages
from tests.between import between
from tests.run_logs.spooled import line

NOW = datetime(2026, 11, 29, 6, tzinfo=timezone.utc)


@pytest.fixture
def proxy(prefect_api):
    with between(prefect_api) as proxy:
        yield proxy


@pytest.fixture
def api(proxy) -> LocalLogApi:
    return LocalLogApi(proxy.api.url, proxy.auth_string)


def write(root: Path, run: str, count: int, start: int = 0, **options: int) -> SpoolWriter:
    writer = SpoolWriter(root, **options)
    for number in range(start, start + count):
        writer.write_line(line(f"line {number}", NOW + timedelta(milliseconds=number), run))
    return writer


def upload_all(uploader: LogUploader) -> None:
    """Upload until nothing is left, as `run` does, but without its pauses."""
    failures = 0
    while True:
        try:
            if not uploader.upload_batches():
                return
        except httpx.HTTPError:
            failures += 1
            assert failures < 1_000


def kept(prefect, run: str) -> list[str]:
    async def read(stock_client) -> list[str]:
        async with prefect_client(prefect.api) as client:
            pages = [page async for page in read_log_pages(client, UUID(run))]
        by_id = {each.id: each.message for page in pages for each in page}
        assert len(by_id) == await _count(stock_client, run)
        return list(by_id.values())

    return prefect.ask(read)


async def _count(client, run: str) -> int:
    count, chosen = 0, LogFilter(flow_run_id=LogFilterFlowRunId(any_=[UUID(run)]))
    while page := await client.read_logs(chosen, limit=200, offset=count, sort=LogSort.TIMESTAMP_ASC):
        count += len(page)
    return count


def test_files_are_uploaded_in_bounded_batches_and_removed(tmp_path, prefect, api, proxy):
    run = prefect.run()
    sizes: list[str] = []
    proxy.answered = lambda method, path: sizes.append(path) if path.endswith("/logs/") else None
    writer = write(tmp_path, run, 1_200, file_limit=100_000)
    uploader = LogUploader(tmp_path, api)
    upload_all(uploader)
    assert uploader.is_up_to_date()
    assert len(spool_files(tmp_path / run)) == 1, "the file that is still written to"
    writer.close()
    upload_all(uploader)
    assert not (tmp_path / run).exists()
    assert kept(prefect, run) == [f"line {number}" for number in range(1_200)]
    assert len(sizes) >= 1_200 / BATCH_LINES


@pytest.mark.parametrize("seed", range(4))
def test_connections_that_break_lose_and_double_nothing(tmp_path, prefect, api, proxy, seed):
    """At any moment: before the server has the request, or after it has carried it out."""
    run, chance = prefect.run(), random.Random(seed)
    faults = ["refused", "cut before", "cut after", None]
    proxy.faulty = lambda method, path: chance.choice(faults) if "/logs/" in path else None
    write(tmp_path, run, 1_500, file_limit=50_000).close()
    upload_all(LogUploader(tmp_path, api))
    assert Counter(kept(prefect, run)) == Counter(f"line {number}" for number in range(1_500))


@pytest.mark.parametrize("sent", [0, 1, 2])
def test_another_uploader_finishes_what_one_has_begun(tmp_path, prefect, api, sent):
    """As after a crash of the stack: nothing but the API says what was uploaded."""
    run = prefect.run()
    write(tmp_path, run, 1_100).close()
    first = LogUploader(tmp_path, api)
    for _ in range(sent):
        first.upload_batches()
    upload_all(LogUploader(tmp_path, api))
    assert kept(prefect, run) == [f"line {number}" for number in range(1_100)]


def test_lines_of_several_processes_and_runs_arrive(tmp_path, prefect, api):
    runs = [prefect.run() for _ in range(3)]
    for run in runs:
        for process in range(3):
            write(tmp_path, run, 200, 1_000 * process).close()
    upload_all(LogUploader(tmp_path, api))
    for run in runs:
        assert kept(prefect, run) == [f"line {1_000 * process + n}" for process in range(3) for n in range(200)]


def test_long_lines_are_sent_alone_and_junk_arrives(tmp_path, prefect, api):
    run = prefect.run()
    texts = ["x" * (BATCH_BYTES + 1), "short", "\0\ud800\x1b[31m\x80", *("y" * 100_000 for _ in range(20))]
    writer = SpoolWriter(tmp_path)
    for number, text in enumerate(texts):
        writer.write_line(line(text, NOW + timedelta(seconds=number), run))
    writer.close()
    upload_all(LogUploader(tmp_path, api))
    assert kept(prefect, run) == [*texts[:2], "\N{SYMBOL FOR NULL}?\x1b[31m\x80", *texts[3:]]


def test_a_line_that_the_api_refuses_is_replaced_and_the_others_arrive(tmp_path, prefect, api):
    run = prefect.run()
    writer = SpoolWriter(tmp_path)
    for number in range(20):
        refused = {"level": "no number"} if number == 7 else {}
        writer.write_line({**line(f"line {number}", NOW + timedelta(seconds=number), run), **refused})
    writer.close()
    upload_all(LogUploader(tmp_path, api))
    found = kept(prefect, run)
    assert [each for each in found if each.startswith("line")] == [f"line {n}" for n in range(20) if n != 7]
    (note,) = [each for each in found if each.startswith("…")]
    assert "a log line of 6 characters is missing here: the Prefect API answered 4" in note


def test_what_is_written_while_it_runs_arrives_and_a_dead_api_is_waited_for(tmp_path, prefect, proxy, api):
    run = prefect.run()
    proxy.cut.set()
    stop = threading.Event()
    uploader = LogUploader(tmp_path, api)
    thread = threading.Thread(target=uploader.run, args=(stop,))
    thread.start()
    try:
        writer = write(tmp_path, run, 300)
        time.sleep(0.5)
        assert kept(prefect, run) == []
        proxy.cut.clear()
        for number in range(300, 600):
            writer.write_line(line(f"line {number}", NOW + timedelta(milliseconds=number), run))
        writer.close()
        while (tmp_path / run).exists():
            assert thread.is_alive()
            time.sleep(0.02)
    finally:
        stop.set()
        thread.join()
    assert kept(prefect, run) == [f"line {number}" for number in range(600)]


def test_prefects_own_client_sends_a_request_once(tmp_path, prefect, proxy, monkeypatch):
    """It would repeat a request whose answer did not come, and lines would be there twice."""
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    run, chance = prefect.run(), random.Random(1)
    proxy.faulty = lambda method, path: chance.choice(["cut after", None]) if path.endswith("/logs/") else None
    write(tmp_path, run, 1_500, file_limit=50_000).close()
    with temporary_settings({PREFECT_API_URL: proxy.api.url, PREFECT_API_AUTH_STRING: proxy.auth_string}):
        upload_all(LogUploader(tmp_path, PrefectLogApi()))
    assert kept(prefect, run) == [f"line {number}" for number in range(1_500)]


def test_a_damaged_line_is_replaced_with_a_note_and_the_others_arrive(tmp_path, prefect, api):
    """Also where the uploader does not know what an earlier one has sent, and compares with what the API has."""
    run = prefect.run()
    write(tmp_path, run, 1_100).close()
    (file,) = spool_files(tmp_path / run)
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([*lines[:600], b"\0" * 99, *lines[600:]]) + b"\n")
    LogUploader(tmp_path, api).upload_batches()
    upload_all(LogUploader(tmp_path, api))
    found = kept(prefect, run)
    assert [each for each in found if each.startswith("line ")] == [f"line {number}" for number in range(1_100)]
    (note,) = [each for each in found if not each.startswith("line ")]
    assert "a damaged log line is omitted here" in note
    assert not (tmp_path / run).exists()


def test_a_file_that_cannot_be_read_holds_up_no_other(tmp_path, prefect, api, caplog):
    runs = sorted(prefect.run() for _ in range(3))
    for run in runs:
        write(tmp_path, run, 100).close()
    (tmp_path / runs[0] / "00000000000000000001-1.jsonl").mkdir()
    uploader = LogUploader(tmp_path, api)
    upload_all(uploader)
    for run in runs:
        assert kept(prefect, run) == [f"line {number}" for number in range(100)]
    assert caplog.text.count("Log lines in ") == 1, "it is left alone for a while"


def test_an_answer_that_is_no_json_loses_nothing(tmp_path, prefect, api, monkeypatch):
    """A proxy's page with status 200, where the uploader asks what the API has."""
    run = prefect.run()
    write(tmp_path, run, 700).close()
    uploader, post = LogUploader(tmp_path, api), LocalLogApi.post_json
    monkeypatch.setattr(LocalLogApi, "post_json", lambda self, path, body: b"<html>")
    uploader.upload_batches()
    monkeypatch.setattr(LocalLogApi, "post_json", post)
    monkeypatch.setattr("satflow_ext.run_logs.upload.MAX_PAUSE", 0.0)
    uploader._paused_until.clear()
    upload_all(uploader)
    assert kept(prefect, run) == [f"line {number}" for number in range(700)]


REQUEST = httpx.Request("POST", "http://prefect.example/api/logs/")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ReadTimeout("late"), True),
        (httpx.ReadError("cut"), True),
        (httpx.RemoteProtocolError("cut"), True),
        (httpx.ConnectError("refused"), False),
        *(
            (httpx.HTTPStatusError("", request=REQUEST, response=httpx.Response(status)), status in (408, 502, 504))
            for status in (401, 408, 422, 500, 502, 503, 504)
        ),
    ],
)
def test_what_a_server_may_still_do_behind_a_proxy_is_waited_for(error, expected):
    assert PrefectLogApi.may_still_complete(error) is expected
    assert not LocalLogApi.may_still_complete(error), "its connection stands until the server ends"


def test_a_request_that_may_go_on_is_looked_up_late(tmp_path, prefect):
    """Its lines would be sent twice by whoever looks too early."""
    pauses: list[float] = []

    class _Api:
        def post_json(self, path: str, body: bytes) -> bytes:
            raise httpx.ReadError("cut")

        def may_still_complete(self, error: Exception) -> bool:
            return len(pauses) < 3

    class _Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            return len(pauses) > 5

    write(tmp_path, prefect.run(), 10).close()
    LogUploader(tmp_path, _Api()).run(_Stop())
    assert pauses == [0.0, 15.0, 15.0, 15.0, 15.0, 15.0]
