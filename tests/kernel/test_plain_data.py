"""Plain data have one digest, however they were made, and only equal data of equal types have the same."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satflow_ext.kernel import plain_data
from satflow_ext.kernel.fingerprint import compute_fingerprint
from satflow_ext.kernel.plain_data import is_plain, plain_digest
from satflow_ext.kernel.reachable_objects import MAX_OBJECTS, iterate_reachable

FLOATS = st.one_of(st.floats(allow_nan=False), st.just(float("nan")))
KEYS = st.one_of(st.text(max_size=4), st.integers(-9, 9), st.booleans(), st.none(), FLOATS, st.binary(max_size=3))
TEXTS = st.text(st.characters(exclude_categories=()), max_size=5)  # lone surrogates too
LEAVES = st.one_of(
    KEYS, TEXTS, st.integers(), st.integers(2**600, 2**700), st.complex_numbers(allow_nan=False), st.just(...)
)
DATA: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(st.tuples(KEYS, KEYS), inner, max_size=4),
        st.sets(KEYS, max_size=4),
        st.frozensets(KEYS, max_size=4),
    ),
    max_leaves=20,
)


def exact(value: object) -> str:
    return compute_fingerprint(value, exact=True)


def remake(value: Any) -> Any:
    """Equal data of other objects, their dictionaries and sets filled in another order."""
    kind = type(value)
    if kind in (list, tuple):
        return kind([remake(each) for each in value])
    if kind in (set, frozenset):
        return kind(reversed([remake(each) for each in value]))
    if kind is dict:
        return {remake(key): remake(each) for key, each in reversed(value.items())}
    if kind is str:
        return "".join(["", *value])
    if kind is bytes:
        return bytes(bytearray(value))
    if kind is float:
        return struct.unpack("d", struct.pack("d", value))[0]
    return int(hex(value), 16) if kind is int else value


def spell(value: Any) -> Any:
    """Types and values of data; two have the same where nothing tells them apart."""
    kind = type(value)
    if kind in (list, tuple):
        return kind.__name__, *map(spell, value)
    if kind in (set, frozenset):
        return kind.__name__, *sorted(map(repr, map(spell, value)))
    if kind is dict:
        return "dict", *sorted(repr((spell(key), spell(each))) for key, each in value.items())
    return kind.__name__, value if isinstance(value, (str, bytes)) else repr(value)


def share(value: Any, known: dict[Any, Any]) -> Any:
    """The same data, with one object for all that are alike."""
    if type(value) in (list, tuple):
        value = type(value)([share(each, known) for each in value])
    elif type(value) is dict:
        value = {key: share(each, known) for key, each in value.items()}
    return known.setdefault(repr(spell(value)), value)


@pytest.mark.slow
@given(DATA)
def test_objects_and_order_do_not_matter(value: Any) -> None:
    assert exact(remake(value)) == exact(value)
    assert exact(share(value, {})) == exact(value)
    assert compute_fingerprint(remake(value)) == compute_fingerprint(remake(value))


@given(DATA, DATA)
def test_other_data_have_another_fingerprint(one: Any, other: Any) -> None:
    assert (exact([one]) == exact([other])) == (repr(spell(one)) == repr(spell(other)))


@given(DATA)
def test_plain_data_are_read_as_a_whole_unless_keys_have_no_order(value: Any) -> None:
    assert is_plain([value], MAX_OBJECTS)
    digest = plain_digest([value])
    assert digest == plain_digest([remake(value)])


@settings(max_examples=20, deadline=None)
@given(st.lists(DATA, min_size=1, max_size=5), st.integers(0, 99))
def test_long_data_are_read_in_chunks(values: list[Any], seed: int) -> None:
    with mock.patch.object(plain_data, "CHUNK_SIZE", 64):
        check_long_data(values, seed)


@pytest.mark.slow
def test_so_are_data_that_are_longer_than_a_real_chunk() -> None:
    check_long_data(["text", {1: [2.5, b"raw"]}, (None, {3, 4})], 7)


def check_long_data(values: list[Any], seed: int) -> None:
    items = [(f"key{index}", values[index % len(values)]) for index in range(plain_data.CHUNK_SIZE + 10)]
    long = [each for _, each in items]
    assert exact(long) == exact([remake(each) for each in long])
    assert exact(long) != exact([*long[:-1], "another"])
    assert exact(long[:-1]) != exact(long)
    before = exact(dict(items))
    random.Random(seed).shuffle(items)
    assert exact(dict(items)) == before


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: [value] * 2000,
        lambda value: {"key": [value], "other": 1},
        lambda value: [{"a": value, "b": (1, [value])}, *range(2000)],
        lambda value: {str(index): value for index in range(300)},
    ],
    ids=["long list", "list in a dict", "dict in a list", "long dict"],
)
def test_sees_types_and_signs(wrap: Callable[[object], object]) -> None:
    nothing = float("nan")
    alike = [1, True, 1.0, 0, False, 0.0, -0.0, nothing, 1j, "1", b"1", (1,), [1], {1}, frozenset({1}), {1: None}, None]
    alike += [[], (), {}, set(), frozenset(), "", b"", ..., NotImplemented, "\ud800", "\ud801", 10**5000, [[]], [()]]
    assert len({exact(wrap(each)) for each in alike}) == len(alike)
    assert exact(wrap(float("nan"))) == exact(wrap(nothing))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([[1, 2], [3]], [[1], [2, 3]]),
        ([[1], 2], [1, [2]]),
        ([{"a": 1}, {"b": 2}], [{"a": 1, "b": 2}, {}]),
        ([{"a": 1}, {"b": 2}], [{"b": 2}, {"a": 1}]),
        ({"a": [1], "b": []}, {"a": [], "b": [1]}),
        ([["a", "b"]], [["ab", ""]]),
        ([b"a", "a"], ["a", b"a"]),
        ({1: "a"}, {True: "a"}),
    ],
)
def test_sees_where_a_value_is(one: object, other: object) -> None:
    assert plain_digest(one) is not None
    assert exact(one) != exact(other)


class Text(str):
    """Not plain: it may have attributes and methods of its own."""


def test_what_is_not_plain_is_opened_up() -> None:
    values: list[object] = [Text("a"), bytearray(b"a"), len, object(), {"a": [object()]}, {object(): 1}, {Text("a")}]
    for value in values:
        assert plain_digest([1, value]) is None
        assert not is_plain([1, value], MAX_OBJECTS)
    assert exact([1, Text("a")]) != exact([1, "a"])


def test_data_inside_themselves_are_not_plain() -> None:
    loop: list[object] = [1]
    loop.extend([loop] * 1000)
    assert plain_digest(loop) is None
    assert not is_plain(loop, MAX_OBJECTS)


@pytest.mark.slow
def test_shared_data_are_read_once_where_copies_would_fill_memory() -> None:
    value: object = [1]
    for _ in range(60):
        value = [value, value]
    assert exact(value) == exact([*value])  # type: ignore[misc]
    rows, other = ([[*range(1000), last]] * 20_000 for last in (1, 2))
    assert plain_digest(rows) is None
    assert exact(rows) != exact(other)


def test_plain_data_are_reached_whole() -> None:
    class Thing:
        pass

    thing = Thing()
    values = {"numbers": list(range(1000)), "rows": [{"a": [1, "b"]}] * 3, "thing": [1, thing], "one": 1}
    reached = list(iterate_reachable(values, "values", visit_plain_data=False))
    assert any(each.value is thing for each in reached)
    assert {each.path[-1] for each in reached if each.plain} >= {"['numbers']", "['rows']"}
    assert not any(each.path[1:-1] in (("['numbers']",), ("['rows']",)) for each in reached)
    everything = [each.path for each in iterate_reachable(values, "values")]
    assert ("values", "['rows']", "[0]", "['a']") in everything
    assert not any("['one']" in path for path in everything)


def test_the_digest_is_the_same_in_every_process() -> None:
    """Written down: with another value, registered flows would look changed."""
    digest = plain_digest({"b": [1, 2.5, "x", None, {"k": (True, b"raw")}], "a": {3, 1, 2}, "c": 2**70, "d": "\ud800é"})
    assert digest is not None
    assert digest.hex() == "8c83bfa921c2e70779d7097c197d5779b002c1385927c4673b332aa11734748f"
