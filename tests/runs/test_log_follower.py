"""Following a log: the book that readers share, and the follower that writes it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
from prefect.client.schemas.actions import LogCreate
from prefect.states import Completed

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import PrefectUnreachable, RunNotFound
from satflow_ext.runs.log_book import BATCH_CHARACTERS, BATCH_LINES, MAX_DELAY, LogBatch, LogBook, sort_by_time
from satflow_ext.runs.log_follower import SETTLE_SECONDS, LogFollower, follow_log
from satflow_ext.runs.observers import RunWatcher, SharedFollowers
from tests.runs.book_lines import line, text


def read_all(book: LogBook, cursor: str | None = None) -> list[LogBatch]:
    async def read() -> list[LogBatch]:
        return [batch async for batch in book.read_batches(cursor)]

    return asyncio.run(read())


def written(lines: int, limit: int = 10_000) -> LogBook:
    book = LogBook(limit)
    book.add_lines(map(line, range(lines)))
    book.mark_ended()
    return book


def test_an_empty_log_ends_at_once():
    (only,) = read_all(written(0))
    assert (only.lines, only.ended, only.reset) == ((), True, False)


def test_batches_are_small_and_whole():
    batches = read_all(written(2 * BATCH_LINES + 1))
    assert [len(batch.lines) for batch in batches] == [BATCH_LINES, BATCH_LINES, 1]
    assert [batch.ended for batch in batches] == [False, False, True]
    assert [line.seq for batch in batches for line in batch.lines] == list(range(2 * BATCH_LINES + 1))


def test_the_same_line_twice_is_one():
    book, again = LogBook(), line(0)
    assert book.add_lines([again, line(1)]) == 2
    assert book.add_lines([again, line(2)]) == 1
    book.mark_ended()
    assert text(read_all(book)[0].lines) == ["line 0", "line 1", "line 2"]


def test_a_cursor_goes_on_where_it_was():
    book = written(BATCH_LINES + 3)
    first = read_all(book)[0]
    (rest,) = read_all(book, first.cursor)
    assert (text(rest.lines), rest.reset) == ([f"line {n}" for n in range(BATCH_LINES, BATCH_LINES + 3)], False)


@pytest.mark.parametrize(
    "cursor", ["", "other:1", "nonsense", ":", "{generation}:99", "{generation}:-1", "{generation}:²"]
)
def test_a_cursor_that_is_not_known(cursor):
    book = written(3)
    generation = read_all(book)[0].cursor.partition(":")[0]
    (only,) = read_all(book, cursor.format(generation=generation))
    assert (len(only.lines), only.reset) == (3, True)


def test_lines_beyond_the_bound_are_counted():
    book = written(120, limit=100)
    (only,) = read_all(book)
    assert text(only.lines)[0].startswith("… 20 older lines")
    assert text(only.lines)[1:] == [f"line {n}" for n in range(20, 120)]
    assert len({line.seq for line in only.lines}) == 101


def test_long_lines_come_in_batches_of_bounded_size():
    book = LogBook()
    longest = BATCH_CHARACTERS * 2
    book.add_lines(
        line(number)._replace(message="x" * length) for number, length in enumerate([10, longest, *[100_000] * 20])
    )
    book.mark_ended()
    batches = read_all(book)
    sizes = [[len(each.message) for each in batch.lines] for batch in batches]
    assert sum(map(len, sizes)) == 22
    assert all(sum(batch) <= BATCH_CHARACTERS or len(batch) == 1 for batch in sizes)
    assert [longest] in sizes


def test_characters_beyond_the_bound_are_forgotten_with_their_lines():
    book = LogBook(characters=1_000)
    for number in range(50):
        book.add_lines([line(number)._replace(message=f"{number:100}")])
    book.add_lines([line(50)._replace(message="x" * 5_000)])
    book.mark_ended()
    gap, *kept = [each for batch in read_all(book) for each in batch.lines]
    assert gap.message.startswith("… 50 older lines")
    assert [len(each.message) for each in kept] == [5_000], "the newest line is kept, however long it is"


def test_what_is_forgotten_and_read_again_is_not_there_twice_and_costs_nothing():
    book, hour = LogBook(limit=100), 3_600
    lines = [line(number) for number in range(hour)]  # one a second
    for start in range(0, hour, 50):
        assert book.add_lines(lines[start : start + 50]) == 50
        assert book.add_lines(lines[max(0, start - 200) : start + 50]) == 0  # as overlapping looks do
    late = line(hour - 60)
    assert book.add_lines([late]) == 1, "a line of another process that comes late is none that was forgotten"
    assert book.add_lines([*lines, late]) == 0  # as reading the whole log once more does
    book.mark_ended()
    shown = [message for batch in read_all(book) for message in text(batch.lines)]
    assert len(shown) == len(set(shown)) + 1  # the late line says the same as another one
    assert len(book._known_ids) < 2 * MAX_DELAY.total_seconds()


def test_order_of_late_lines():
    book = LogBook()
    book.add_lines([line(0), line(2), line(1)])
    book.mark_ended()
    assert text(sort_by_time(read_all(book)[0].lines)) == ["line 0", "line 1", "line 2"]


def test_readers_wait_and_are_woken():
    async def both() -> list[list[str]]:
        book = LogBook()

        async def read() -> list[str]:
            return [message async for batch in book.read_batches(None) for message in text(batch.lines)]

        readers = [asyncio.create_task(read()) for _ in range(3)]
        for number in range(3):
            await asyncio.sleep(0)
            book.add_lines([line(number)])
        book.mark_ended()
        return list(await asyncio.gather(*readers))

    assert asyncio.run(both()) == [["line 0", "line 1", "line 2"]] * 3


async def write(api: PrefectApi, prefect_client, run_id: str, *messages: str) -> None:
    now = datetime.now(timezone.utc)
    logs = [
        LogCreate(
            name="flow", level=20, message=message, timestamp=now + timedelta(milliseconds=n), flow_run_id=UUID(run_id)
        )
        for n, message in enumerate(messages)
    ]
    await prefect_client.create_logs(logs)


def test_lines_that_come_after_the_end(prefect):
    run_id = prefect.run()

    async def where() -> PrefectApi:
        return prefect.api

    async def end_then_write(client):
        await write(prefect.api, client, run_id, "before")
        await client.set_flow_run_state(UUID(run_id), Completed(), force=True)
        await write(prefect.api, client, run_id, "after")

    async def read() -> list[str]:
        return [message async for batch in follow_log(where, run_id) for message in text(batch.lines)]

    prefect.ask(end_then_write)
    assert asyncio.run(read()) == ["before", "after"]


def test_a_server_that_takes_lines_in_late_is_waited_for_longer(prefect):
    run_id = prefect.run()
    stamps = {"before": -60, "late": -10, "last": 0}

    async def where() -> PrefectApi:
        return prefect.api

    async def send(client, message: str) -> None:
        at = datetime.now(timezone.utc) + timedelta(seconds=stamps[message])
        line = LogCreate(name="demo", level=20, message=message, timestamp=at, flow_run_id=UUID(run_id))
        await client.create_logs([line])

    async def scene(client) -> list[str]:
        await send(client, "before")
        seen: list[str] = []
        async for batch in follow_log(where, run_id):
            seen += (new := text(batch.lines))
            if "before" in new:
                await send(client, "late")
                await client.set_flow_run_state(UUID(run_id), Completed(), force=True)
            if "late" in new:
                # Longer than is waited for after lines that came in time.
                await asyncio.sleep(SETTLE_SECONDS + 2)
                await send(client, "last")
        return seen

    assert prefect.ask(scene) == ["before", "late", "last"]


def test_an_outage_is_told_of_and_outlived(prefect):
    run_id = prefect.run("COMPLETED")
    prefect.ask(lambda client: write(prefect.api, client, run_id, "one", "two"))
    places = [PrefectApi("http://127.0.0.1:1/api")]

    async def where() -> PrefectApi:
        return places.pop() if places else prefect.api

    async def read() -> list[LogBatch]:
        follower = LogFollower(where, run_id)
        task = asyncio.create_task(follower.run())
        batches = [batch async for batch in follower.book.read_batches(None)]
        await task
        return batches

    batches = asyncio.run(read())
    assert isinstance(next(batch.trouble for batch in batches if batch.trouble), PrefectUnreachable)
    assert batches[-1].trouble is None
    assert [message for batch in batches for message in text(batch.lines)] == ["one", "two"]


def test_two_watchers_share_a_follower(prefect):
    run_id = prefect.run()
    asked = []

    async def where() -> PrefectApi:
        asked.append(1)
        return prefect.api

    async def watch() -> bool:
        followers = SharedFollowers(where)
        async with followers.follow_run(run_id) as one, followers.follow_run(run_id) as other:
            same = one is other
        async with followers.follow_run(run_id) as later:
            same = same and later is one
        await followers.close()
        return same

    assert asyncio.run(watch())


def test_watching_goes_on_after_what_nobody_foresaw(prefect, caplog):
    looks = []

    async def where() -> PrefectApi:
        looks.append(1)
        if len(looks) == 2:
            raise RuntimeError("nobody foresaw this")
        return prefect.api

    async def watch() -> None:
        watcher = RunWatcher(where)
        async with aclosing(watcher.watch_changes()) as changes:
            await anext(changes)
            while len(looks) < 2:
                watcher.wake()
                await asyncio.sleep(0.02)
            await asyncio.to_thread(prefect.run, "COMPLETED")
            watcher.wake()
            await asyncio.wait_for(anext(changes), 60)

    asyncio.run(watch())
    assert "nobody foresaw this" in caplog.text


@pytest.mark.parametrize("run_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_no_such_run(prefect, run_id):
    async def where() -> PrefectApi:
        return prefect.api

    async def read() -> None:
        async with SharedFollowers(where).follow_run(run_id):
            pass

    with pytest.raises(RunNotFound):
        asyncio.run(read())
