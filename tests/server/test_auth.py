"""Every route, every verb, every kind of caller: walked in the live application, so that no new route is forgotten."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError
from tornado.web import RequestHandler

from tests.server.routes import GOLDEN, ID

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Denying(Authorizer):
    """Says no to everything, and remembers what it was asked."""

    asked: ClassVar[list[tuple[str, str]]] = []

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return False


@pytest.fixture
def jp_server_config(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Jupyter's own default lets strangers through to handlers that do not say otherwise: ours must."""
    denying = getattr(request, "param", False)
    server = {"jpserver_extensions": {"satflow_ext": True}, "allow_unauthenticated_access": True}
    return {"ServerApp": server | ({"authorizer_class": Denying} if denying else {})}


def live_routes(app: Any) -> list[tuple[str, type[RequestHandler]]]:
    """Paths below /satflow/ with an id for every group, from the application's own rules."""
    found = []
    for router in [rule.target for rule in app.web_app.default_router.rules if hasattr(rule.target, "rules")]:
        for rule in router.rules:
            pattern = rule.matcher.regex.pattern.rstrip("$")
            if "/satflow/" in pattern:
                path = pattern.rpartition("/satflow/")[2].replace("([^/]+)", ID).replace(".*", "elsewhere")
                found.append((path, rule.target))
    return found


async def status_of(fetch: Any, verb: str, path: str, **options: Any) -> int:
    reply = await fetch(
        "satflow", *path.split("/"), method=verb, raise_error=False, allow_nonstandard_methods=True, **options
    )
    return int(reply.code)


def test_the_table_names_every_verb_of_every_route(jp_serverapp):
    routes = live_routes(jp_serverapp)
    implemented = {
        (verb, path)
        for path, handler in routes
        for verb in VERBS
        if verb != "OPTIONS" and getattr(handler, verb.lower()) is not getattr(RequestHandler, verb.lower())
    }
    assert implemented == GOLDEN.keys()
    assert "elsewhere" in [path for path, _ in routes]


@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "token wrong"}], ids=["none", "wrong"])
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "OPTIONS"])
async def test_strangers_get_nothing(jp_serverapp, jp_fetch, verb, headers):
    found = {
        path: await status_of(jp_fetch, verb, path, headers=dict(headers)) for path, _ in live_routes(jp_serverapp)
    }
    assert set(found.values()) == {HTTPStatus.FORBIDDEN}, found


async def test_a_preflight_tells_nothing(jp_serverapp, jp_fetch):
    for path, _ in live_routes(jp_serverapp):
        reply = await jp_fetch(
            "satflow",
            *path.split("/"),
            method="OPTIONS",
            headers={"Authorization": ""},
            raise_error=False,
            allow_nonstandard_methods=True,
        )
        assert reply.code in (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
        assert not reply.headers.get("Access-Control-Allow-Origin")


@pytest.mark.parametrize("jp_server_config", [True], indirect=True, ids=["denying"])
async def test_each_verb_asks_for_its_own_action_and_resource(jp_fetch):
    for (verb, path), expected in GOLDEN.items():
        Denying.asked.clear()
        assert await status_of(jp_fetch, verb, path) == HTTPStatus.FORBIDDEN, (verb, path)
        assert Denying.asked == [expected], (verb, path)


async def test_a_verb_that_is_not_there(jp_fetch):
    assert await status_of(jp_fetch, "PUT", "runs") == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("authorization", ["", "token wrong"])
async def test_a_socket_needs_a_token(jp_ws_fetch, authorization):
    with pytest.raises(HTTPClientError) as refused:
        await jp_ws_fetch("satflow", "stream", headers={"Authorization": authorization})
    assert refused.value.code == HTTPStatus.FORBIDDEN


async def foreign(fetch: Any) -> dict[str, str]:
    """Headers of a foreign page in the browser of somebody who is logged in: her cookie comes along, her token does not."""
    reply = await fetch("api", "status")
    cookies = "; ".join(cookie.partition(";")[0] for cookie in reply.headers.get_list("Set-Cookie"))
    return {"Authorization": "", "Cookie": cookies, "Origin": "https://evil.example"}


async def test_a_socket_takes_no_foreign_origin(jp_fetch, jp_ws_fetch):
    headers = await foreign(jp_fetch)
    with pytest.raises(HTTPClientError) as refused:
        await jp_ws_fetch("satflow", "stream", headers=headers)
    assert refused.value.code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("jp_server_config", [True], indirect=True, ids=["denying"])
async def test_a_socket_needs_the_right_to_read(jp_ws_fetch):
    with pytest.raises(HTTPClientError) as refused:
        await jp_ws_fetch("satflow", "stream")
    assert refused.value.code == HTTPStatus.FORBIDDEN


async def test_a_foreign_page_gets_nothing(jp_fetch):
    assert await status_of(jp_fetch, "GET", "clusters", headers=await foreign(jp_fetch)) == HTTPStatus.NOT_FOUND


async def test_a_cookie_alone_changes_nothing(jp_fetch):
    same_page = await foreign(jp_fetch)
    del same_page["Origin"]
    assert await status_of(jp_fetch, "POST", "stack", headers=same_page) == HTTPStatus.FORBIDDEN
