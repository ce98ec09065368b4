"""Events for a subscriber of the Prefect server that takes them more slowly than they come."""

from __future__ import annotations

import asyncio

import pytest
from prefect.server.utilities.messaging import memory

from satflow_ext.stack import prefect_server

BURST = 25_000
"""More than the 10,000 messages that a subscription's queue has room for."""


@pytest.fixture(autouse=True)
def waiting_server(monkeypatch):
    monkeypatch.setattr(memory.Subscription, "deliver", memory.Subscription.deliver)  # restored after the test
    prefect_server.wait_for_subscribers()


def numbered(number: int) -> memory.MemoryMessage:
    return memory.MemoryMessage(str(number).encode(), {})


async def take_all(subscription: memory.Subscription, publishing: asyncio.Future[object]) -> list[int]:
    """Take the messages, a few at a time, until nothing is published any more."""
    taken: list[int] = []
    while not (publishing.done() and subscription._queue.empty()):
        if subscription._queue.empty() or len(taken) % 500 == 0:
            await asyncio.sleep(0)
        if not subscription._queue.empty():
            taken.append(int((await subscription.get()).data))
    return taken


def test_a_burst_reaches_a_slow_subscriber_in_order():
    async def deliver_all() -> list[int]:
        subscription = memory.Topic("burst").subscribe()

        async def publish() -> None:
            for number in range(BURST):
                await subscription.deliver(numbered(number))

        return await take_all(subscription, asyncio.ensure_future(publish()))

    assert asyncio.run(deliver_all()) == [*range(BURST)]


def test_several_publishers_wait_for_room():
    async def deliver_all() -> list[int]:
        subscription = memory.Topic("publishers").subscribe()
        publishing = asyncio.gather(*(subscription.deliver(numbered(number)) for number in range(BURST)))
        return await take_all(subscription, publishing)

    assert sorted(asyncio.run(deliver_all())) == [*range(BURST)]


def test_a_transaction_waits_for_no_subscriber():
    async def deliver_inside() -> int:
        subscription = memory.Topic("transaction").subscribe()
        token = prefect_server._inside_transaction.set(True)
        try:
            for number in range(BURST):
                await subscription.deliver(numbered(number))
        finally:
            prefect_server._inside_transaction.reset(token)
        return subscription._queue.qsize()

    assert asyncio.run(deliver_inside()) == 10_000


def test_a_subscriber_that_takes_nothing_does_not_stop_the_others(monkeypatch):
    monkeypatch.setattr(prefect_server, "SUBSCRIBER_PATIENCE", 0.05)

    async def deliver_all() -> tuple[int, list[int]]:
        topic = memory.Topic("stuck")
        stuck, other = topic.subscribe(), topic.subscribe()

        async def publish() -> None:
            for number in range(BURST):
                await topic.publish(numbered(number))

        taken = await take_all(other, asyncio.ensure_future(publish()))
        await stuck.get()  # it takes events again, and gets the next ones
        await topic.publish(numbered(BURST))
        return stuck._queue.qsize(), taken

    waiting, taken = asyncio.run(deliver_all())
    assert waiting == 10_000
    assert taken == [*range(BURST)]
