"""The base class of all handlers: reads requests, writes replies, and is the one place where errors become JSON."""

from __future__ import annotations

from http import HTTPStatus
from types import TracebackType
from typing import Any, TypeVar

from jupyter_server.base.handlers import APIHandler
from pydantic import ValidationError
from tornado import web

from satflow_ext.errors import BadRequest, ParametersTooLarge, SatflowError
from satflow_ext.models import ErrorBody, WireModel
from satflow_ext.session import Session
from satflow_ext.validation_errors import convert_first_error

Body = TypeVar("Body", bound=WireModel)

BODY_LIMIT = 4 * 1024 * 1024
"""Maximum bytes of a request's body: Prefect's limit for parameters, plus room for JSON with whitespace."""

JUPYTER_ARGUMENTS = frozenset({"token", "_xsrf", "no_track_activity"})
"""Query arguments that Jupyter itself handles on every route."""


class SatflowHandler(APIHandler):
    """A handler of /satflow/: reads models, calls the object that its route gives to `initialize`, replies with models.

    Each verb of a subclass has the decorators `@web.authenticated` and `@authorized` with its own action and resource, so that
    both are visible at the verb. `prepare` rejects unauthenticated requests again, in case a subclass omits them.
    """

    @property
    def _track_activity(self) -> bool:  # type: ignore[override]  # Jupyter's is a class attribute
        """False for GET: the sidebar's polling is not activity, so that an idle server may be culled."""
        return self.request.method != "GET"

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler itself does
        """Reject unauthenticated requests, on every verb except OPTIONS (CORS preflight), which has no credentials."""
        await super().prepare()
        if self.request.method != "OPTIONS" and not self.current_user:
            raise web.HTTPError(HTTPStatus.FORBIDDEN)

    def read_body(self, model: type[Body]) -> Body:
        """Parse the request's body.

        Raises:
            BadRequest: it is not JSON, or not valid for that model; `field` is the first invalid field.
            ParametersTooLarge: it is longer than `BODY_LIMIT`.
        """
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise BadRequest("The request's body must be JSON.", fix="Send Content-Type: application/json.")
        if len(self.request.body) > BODY_LIMIT:
            raise ParametersTooLarge(
                f"The request's body exceeds {BODY_LIMIT:,} bytes.", fix="Pass large data by name.", field="parameters"
            )
        try:
            return model.model_validate_json(self.request.body)
        except ValidationError as error:
            raise convert_first_error(error) from None

    def read_query(self, model: type[Body]) -> Body:
        """Parse the request's query.

        Raises:
            BadRequest: an argument is unknown or not valid.
        """
        # JupyterLab appends the time, as a name without a value, to bypass browser caches.
        given = {k: v[-1].decode(errors="replace") for k, v in self.request.query_arguments.items() if not k.isdigit()}
        try:
            return model.model_validate({k: v for k, v in given.items() if k not in JUPYTER_ARGUMENTS})
        except ValidationError as error:
            raise convert_first_error(error) from None

    def reply(self, model: WireModel, status: int = HTTPStatus.OK) -> None:
        """Reply with a model."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(model.model_dump_json())

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Reply with an ErrorBody, which contains no details of unexpected errors."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(error, SatflowError):
            self.reply(ErrorBody.from_error(error), error.status)
        else:
            self.reply(_convert_http_error(status_code, error), status_code)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a SatflowError in one line, and all other exceptions with their traceback."""
        if isinstance(value, SatflowError):
            request_line, name = f"{self.request.method} {self.request.path}", type(value).__name__
            self.log.info("SatFlow: %s: %s: %s", request_line, name, value.for_log())
        else:
            super().log_exception(typ, value, tb)

    def on_finish(self) -> None:
        """Log the user and the request of each call that changes something."""
        super().on_finish()
        if self.request.method in ("POST", "PATCH", "DELETE") and self.current_user:
            who = self.current_user.username
            self.log.info("SatFlow: %r: %s %s -> %s", who, self.request.method, self.request.path, self.get_status())


class SessionHandler(SatflowHandler):
    """A handler that only needs the session of this server."""

    def initialize(self, session: Session) -> None:
        """Keep the session of this server."""
        self._session = session


def _convert_http_error(status_code: int, error: BaseException | None) -> ErrorBody:
    phrase = HTTPStatus(status_code).phrase
    message = error.log_message if isinstance(error, web.HTTPError) else None
    if message and isinstance(error, web.HTTPError):
        message = message % error.args  # also without arguments, because Tornado then has doubled every %
    if status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        message = "An unexpected error occurred in the Jupyter server; see its log."
    return ErrorBody(error=phrase.replace(" ", ""), message=message or phrase, fix=None, field=None)
