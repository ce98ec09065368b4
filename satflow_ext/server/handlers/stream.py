"""/satflow/stream: one websocket for each browser tab."""

from __future__ import annotations

from http import HTTPStatus

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from pydantic import TypeAdapter, ValidationError
from tornado import web
from tornado.websocket import WebSocketHandler

from satflow_ext.errors import BadRequest, SatflowError
from satflow_ext.models import ErrorBody, ErrorFrame, StreamRequest, Subscribe, WireModel
from satflow_ext.server.managers import Managers
from satflow_ext.server.subscriptions import Subscriptions
from satflow_ext.validation_errors import convert_first_error

REQUEST_ADAPTER: TypeAdapter[StreamRequest] = TypeAdapter(StreamRequest)
MAX_REQUEST_LENGTH = 4096
"""Maximum characters of a request; the longest valid one has about 200."""

RESOURCES = {
    "runs": "satflow_ext:runs",
    "logs": "satflow_ext:runs",
    "cluster": "satflow_ext:clusters",
    "clusters": "satflow_ext:clusters",
}


class StreamHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """Accepts Subscribe and Unsubscribe, and sends frames. The mixin checks the origin, as for kernels."""

    subscriptions: Subscriptions

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler does
        """Reject unauthenticated requests, on every verb."""
        await super().prepare()
        if not self.current_user:
            raise web.HTTPError(HTTPStatus.FORBIDDEN)

    @ws_authenticated
    @authorized(action="read", resource="satflow_ext:runs")
    async def get(self) -> None:  # type: ignore[override]  # Tornado types it by Any
        """Open the socket."""
        await super().get()

    def open(self) -> None:
        """Accept requests."""
        super().open()
        managers: Managers = self.settings["satflow_managers"]
        self.subscriptions = Subscriptions(managers, self.send)

    async def on_message(self, message: str | bytes) -> None:
        """Handle one request; an invalid one is answered by an ErrorFrame and has no effect."""
        try:
            request = _parse_request(message)
            if isinstance(request, Subscribe):
                await self._check_allowed(request)
                self.subscriptions.subscribe(request)
            else:
                self.subscriptions.unsubscribe(request)
        except SatflowError as error:
            await self.send(ErrorFrame(type="error.v1", topic=None, run_id=None, error=ErrorBody.from_error(error)))

    def on_close(self) -> None:
        """Cancel all subscriptions of this socket."""
        super().on_close()
        if hasattr(self, "subscriptions"):
            self.subscriptions.close()

    async def send(self, frame: WireModel) -> None:
        """Send a frame and wait until the network has accepted it, so that a blocked browser delays only itself."""
        await self.write_message(frame.model_dump_json())

    async def _check_allowed(self, request: Subscribe) -> None:
        resource = RESOURCES[request.topic]
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, "read", resource)):
            raise BadRequest(f"You may not read {resource}.", field="topic")


def _parse_request(message: str | bytes) -> StreamRequest:
    if len(message) > MAX_REQUEST_LENGTH:
        raise BadRequest(f"The request exceeds {MAX_REQUEST_LENGTH} characters.")
    try:
        return REQUEST_ADAPTER.validate_json(message)
    except ValidationError as error:
        raise convert_first_error(error) from None
