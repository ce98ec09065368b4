"""The store client against a store that nobody of us wrote (nginx), and against endpoints that answer as stores should not."""

from __future__ import annotations

import asyncio
import hashlib
import os

import pytest

from satflow_ext.endpoints import Store
from satflow_ext.errors import (
    ContentMissing,
    ContentRefused,
    StoreAnsweredHtml,
    StoreFailed,
    StoreFull,
    StoreUnauthorized,
    StoreUnreachable,
)
from satflow_ext.versions.store_client import StoreClient
from tests.registration.nginx import running_nginx
from tests.webhook import Quiet, always, endpoint

DOCUMENT = b"a document"
DIGEST = f"sha256:{hashlib.sha256(DOCUMENT).hexdigest()}"
NOTHING = f"sha256:{'0' * 64}"
SECRET = "Bearer a-credential-of-the-team"


async def put(store, document=DOCUMENT, digest=DIGEST):
    async with StoreClient(store) as client:
        await client.put(digest, document)


async def get(store, digest=DIGEST):
    async with StoreClient(store) as client:
        return await client.get(digest)


# --- nginx --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    """Debian's nginx with WebDAV's PUT, and a credential."""
    with running_nginx(tmp_path_factory.mktemp("nginx"), SECRET) as url:
        yield Store("nginx", url, headers={"Authorization": SECRET})


@pytest.mark.slow
def test_nginx_keeps_a_document(nginx):
    asyncio.run(put(nginx))
    assert asyncio.run(get(nginx)) == DOCUMENT


@pytest.mark.slow
def test_nginx_keeps_a_file(nginx, tmp_path):
    body = os.urandom(700_000)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    (tmp_path / "content").write_bytes(body)

    async def there_and_back():
        async with StoreClient(nginx) as client:
            await client.put_file(digest, tmp_path / "content")
            await client.get_file(digest, tmp_path / "back", limit=len(body))

    asyncio.run(there_and_back())
    assert (tmp_path / "back").read_bytes() == body


@pytest.mark.slow
def test_nginx_has_nothing_under_that_digest(nginx):
    with pytest.raises(ContentMissing, match="has no content sha256:0000"):
        asyncio.run(get(nginx, NOTHING))


@pytest.mark.slow
def test_nginx_refuses_a_wrong_credential(nginx):
    stranger = Store("nginx", nginx.url, headers={"Authorization": "Bearer wrong"})
    with pytest.raises(StoreUnauthorized, match="refused the credential"):
        asyncio.run(put(stranger))


@pytest.mark.slow
def test_nginx_refuses_what_is_too_large(nginx):
    large = os.urandom(1_200_000)
    with pytest.raises(StoreFull, match="no room"):
        asyncio.run(put(nginx, large, f"sha256:{hashlib.sha256(large).hexdigest()}"))


def test_posting_to_an_endpoint_that_keeps(tmp_path):
    kept = {}

    class Keeps(Quiet):
        def do_POST(self):  # noqa: N802 - the name that http.server looks for
            kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(200, b"<p>thanks</p>", "text/html")

        def do_GET(self):  # noqa: N802 - the name that http.server looks for
            self.answer(200, kept[self.path])

    with endpoint(Keeps) as url:
        store = Store("webhook", f"{url}/hook/{{digest}}", method="POST")
        asyncio.run(put(store))
        assert asyncio.run(get(store)) == DOCUMENT
    assert list(kept) == [f"/hook/{DIGEST}"]


# --- endpoints that are no stores ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((200, b"<html>Log in</html>", "text/html; charset=utf-8"), StoreAnsweredHtml, "a web page"),
        ((200, b"something else"), ContentRefused, "returned other data for"),
        ((200, b""), ContentRefused, "returned other data for"),
        ((403,), StoreUnauthorized, r"credential \(403\)"),
        ((404,), ContentMissing, "has no content"),
        ((500, b"<html>oops</html>", "text/html"), StoreFailed, "answered 500"),
        ((302, b""), StoreFailed, r"redirect \(302\), which is not followed"),
        ((507,), StoreFull, "no room"),
    ],
)
def test_answers_to_reading(answer, error, words):
    with endpoint(always(*answer)) as url, pytest.raises(error, match=words):
        asyncio.run(get(Store("odd", f"{url}/{{digest}}")))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, b"<html>Log in</html>", "text/html"), StoreAnsweredHtml),
        ((200, b"accepted"), ContentRefused),
        ((401,), StoreUnauthorized),
        ((413,), StoreFull),
        ((507,), StoreFull),
        ((503,), StoreFailed),
    ],
)
def test_answers_to_sending(answer, error):
    """An endpoint that says yes and keeps nothing is found out by reading back."""
    with endpoint(always(*answer)) as url, pytest.raises(error):
        asyncio.run(put(Store("odd", f"{url}/{{digest}}")))


def test_credential_does_not_follow_a_redirect():
    seen = []

    class Elsewhere(Quiet):
        def do_GET(self):  # noqa: N802 - the name that http.server looks for
            seen.append(self.headers.get("Authorization"))
            self.answer(200, DOCUMENT)

    with endpoint(Elsewhere) as other, endpoint(always(307, Location=f"{other}/x")) as url:
        store = Store("odd", f"{url}/{{digest}}", headers={"Authorization": SECRET})
        with pytest.raises(StoreFailed, match=r"redirect \(307\)"):
            asyncio.run(get(store))
    assert seen == []


def test_nothing_answers(closed_port):
    store = Store("gone", f"http://127.0.0.1:{closed_port}/{{digest}}")
    with pytest.raises(StoreUnreachable, match=r"The store 'gone' \(http://127.0.0.1:\d+\) does not answer"):
        asyncio.run(get(store))


def test_content_longer_than_its_manifest_says_is_not_read_to_the_end(tmp_path):
    with endpoint(always(200, b"x" * 100_000)) as url:
        store = Store("odd", f"{url}/{{digest}}")

        async def fetch():
            async with StoreClient(store) as client:
                await client.get_file(DIGEST, tmp_path / "content", limit=10)

        with pytest.raises(ContentRefused):
            asyncio.run(fetch())
    assert (tmp_path / "content").stat().st_size == 0


def test_message_shows_no_path_and_no_credential_of_the_store(closed_port):
    store = Store("gone", f"http://127.0.0.1:{closed_port}/s3cr3t-path/{{digest}}", headers={"Authorization": SECRET})
    with pytest.raises(StoreUnreachable) as caught:
        asyncio.run(get(store))
    assert "s3cr3t-path" not in str(caught.value)
    assert SECRET not in str(caught.value) + repr(store)
