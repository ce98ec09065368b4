"""The checks on three stores that are some, and on endpoints that are none: a check that cannot fail is none either."""

# ruff: noqa: N802 - the names that http.server looks for
from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from satflow_ext.conformance import run_checks
from satflow_ext.conformance.suite import CHECKS
from satflow_ext.endpoints import Store
from tests.conformance import results
from tests.webhook import Quiet, always, endpoint

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    return results.of_all(tmp_path_factory.mktemp("stores"))


def failed(report):
    return {result.check.name: result.reason for result in report.results if result.outcome == "fail"}


def test_there_are_enough_checks_and_each_has_a_name_of_its_own():
    assert Counter(check.name for check in CHECKS).most_common(1)[0][1] == 1
    assert len(CHECKS) >= 80


def test_the_built_in_store_passes_them_all(reports):
    assert failed(reports["built-in"]) == {}


@pytest.mark.parametrize("name", results.NAMES)
def test_what_is_supported_passes_what_is_required(reports, name):
    assert reports[name].is_usable, failed(reports[name])


def test_the_page_tells_the_results(reports):
    assert results.table(reports) == results.documented()


def test_what_can_be_removed_is(reports):
    assert reports["S3 (moto)"].remaining == ()
    assert reports["built-in"].remaining


class Keeps(Quiet):
    """Keeps whatever anybody sends, and does one thing wrong in each subclass."""

    kept: dict[str, bytes]

    def do_PUT(self):
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201)

    def do_GET(self):
        body = self.kept.get(self.path)
        self.answer(404) if body is None else self.answer(200, body)

    do_HEAD = do_GET  # noqa: N815


class KeepsHalf(Keeps):
    def do_PUT(self):
        length = int(self.headers["Content-Length"])
        self.kept[self.path] = self.rfile.read(length)[: length // 2]
        self.answer(201)


class ForgetsContents(Keeps):
    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201)


class KeepsOnlyOne(Keeps):
    def do_PUT(self):
        self.kept.clear()
        super().do_PUT()


class KeepsTheFirst(Keeps):
    def do_PUT(self):
        self.kept.setdefault(self.path, self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(201)


class CallsPartsAll(Keeps):
    def do_GET(self):
        body = self.kept.get(self.path, b"")
        self.answer(200, body[:10] if "Range" in self.headers else body)


class TellsSecrets(Keeps):
    def do_GET(self):
        self.answer(404, (self.headers.get("Authorization") or "").encode())


class LosesOnAgain(Keeps):
    def do_PUT(self):
        length = int(self.headers["Content-Length"])
        self.kept[self.path] = b""
        self.kept[self.path] = self.rfile.read(length)
        self.answer(201)


NONE = [
    (always(200, b"<html>Log in</html>", "text/html"), {"keeping.1-byte", "reading.unknown", "access.no-login-page"}),
    (
        always(302, Location="https://login.example/"),
        {"keeping.empty", "access.no-redirect-send", "access.no-login-page"},
    ),
    (always(500), {"keeping.empty", "reading.unknown", "client.missing", "parallel.fifty-puts"}),
    (Keeps, {"access.read-none", "access.send-none", "access.read-last-character", "access.size-none"}),
    (Keeps, {"digest.bit-flipped", "digest.empty-body", "digest.kept-from-wrong", "reading.no-sniffing"}),
    (KeepsHalf, {"keeping.1-mib", "keeping.largest", "keeping.gzip", "client.file", "parallel.same-content"}),
    (ForgetsContents, {"keeping.at-once", "client.document", "connections.idle", "reading.unknown-not-cached"}),
    (KeepsOnlyOne, {"keeping.apart", "parallel.fifty-puts"}),
    (KeepsTheFirst, {"digest.mended"}),
    (CallsPartsAll, {"reading.range-honest", "reading.unknown", "reading.range-beyond"}),
    (TellsSecrets, {"access.never-told"}),
    (LosesOnAgain, {"broken.cut-again"}),
]


@pytest.mark.parametrize(("handler", "names"), NONE, ids=[handler.__name__ for handler, _ in NONE])
def test_what_is_no_store_fails(handler, names):
    handler.kept = {}
    with endpoint(handler) as url:
        store = Store("none", f"{url}/{{digest}}", headers={"Authorization": "Bearer a-credential"})
        wanted = [check for check in CHECKS if check.name in names]
        report = asyncio.run(run_checks(store, checks=wanted, largest=100_000))
    assert set(failed(report)) == names


def test_nobody_there_fails_and_does_not_raise():
    store = Store("none", "http://127.0.0.1:9/{digest}", headers={})
    wanted = [check for check in CHECKS if check.name in ("keeping.empty", "connections.silent", "access.read-none")]
    report = asyncio.run(run_checks(store, checks=wanted))
    assert [result.outcome for result in report.results] == ["fail", "fail", "not applicable"]
    assert not report.is_usable
