"""One decorator per view: address, scope, what it takes and gives, and its place in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema

from consentledger.web.access import api
from consentledger.web.api.keys import check_key
from consentledger.web.api.parsing import StrictParser

PREFIX = "/api/v1"
SECURITY = "key"
View = TypeVar("View", bound=Callable[..., Any])
IDEMPOTENCY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key with the same body gets the first answer again, for 24 hours.",
}


@dataclass(frozen=True, slots=True)
class Also:
    """Another media type that an operation takes, the types it answers it with, and the view that does."""

    takes: str
    gives: tuple[str, ...]
    view: Callable[[], Response]


class ApiBlueprint(Blueprint):  # type: ignore[misc] # flask-smorest has no types
    """A blueprint below /api/v1 whose views all demand a key and read their input strictly."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(f"api.{name}".replace(".", "_"), import_name, url_prefix=PREFIX)
        self.tag = name
        self.description = description
        self.before_request(check_key)

    def operation(
        self,
        method: str,
        rule: str,
        *,
        scope: str,
        takes: Schema | None = None,
        query: Schema | None = None,
        gives: Schema | None = None,
        status: int = 200,
        file: str | None = None,
        also: Also | None = None,
    ) -> Callable[[View], View]:
        """Declares a view: it gets `takes` (body) or `query` as its first argument and returns a Response.

        `gives` describes its JSON, `file` the media type of a file that it answers with instead. `also` answers a
        body of another media type, which it reads by itself.
        """

        def decorate(view: View) -> View:
            api(scope)(view)
            wrapped: Any = view
            if gives is not None:
                wrapped = self.response(status, gives)(wrapped)
            if takes is not None:
                wrapped = self.arguments(takes, required=bool(takes.fields))(wrapped)
            if query is not None:
                wrapped = self.arguments(query, location="query")(wrapped)
            if also is not None:
                wrapped = _either(wrapped, also)
            more: dict[str, Any] = {"security": [{SECURITY: [scope]}]}
            if file is not None:
                content = {file: {"schema": {"type": "string", "format": "binary"}}}
                more["responses"] = {str(status): {"description": "The file", "content": content}}
            if also is not None:
                text = {"schema": {"type": "string"}}
                more["requestBody"] = {"content": {also.takes: text}}
                more["responses"] = {str(status): {"content": dict.fromkeys(also.gives, text)}}
            if method == "POST":
                more["parameters"] = [IDEMPOTENCY]
            wrapped = self.doc(operationId=view.__name__, **more)(wrapped)
            self.route(rule, methods=[method], tags=[self.tag])(wrapped)
            return view

        return decorate


def _either(view: Callable[..., Any], also: Also) -> Callable[..., Any]:
    @wraps(view)
    def chosen(*words: Any, **named: Any) -> Any:
        return also.view() if request.mimetype == also.takes else view(*words, **named)

    return chosen
