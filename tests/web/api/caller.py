"""Somebody who calls the API with a key of theirs."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.factories import NOTICE, Member

IDENTITY: dict[str, Any] = {
    "name": "Alpenkraut",
    "legal_name": "Alpenkraut Versand GmbH",
    "postal_address": "Talstraße 12\n83471 Berchtesgaden",
    "country": "DE",
    "contact_email": "kontakt@alpenkraut.example",
    "from_name": "Alpenkraut",
    "from_address": "news@alpenkraut.example",
}


class Caller:
    """A client with the key of one of the cast, and what they publish."""

    def __init__(self, app: Flask, member: Member) -> None:
        self._client = app.test_client(use_cookies=False)
        self.member = member

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Sends one request; header names have _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.open(
            f"/api/v1{path}",
            method=method,
            json=body,
            buffered=True,
            headers={**self.member.headers, **named},
        )

    def raw(self, method: str, path: str, body: bytes) -> TestResponse:
        """Sends bytes that call themselves JSON."""
        headers = {**self.member.headers, "Content-Type": "application/json"}
        return self._client.open(f"/api/v1{path}", method=method, data=body, headers=headers)

    def get(self, path: str) -> Any:
        """Reads; anything but 200 fails the test."""
        return self._ok(self.call("GET", path), 200)

    def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """Acts; another status than expected fails the test."""
        return self._ok(self.call("POST", path, body, **headers), status)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        """Replaces; another status than expected fails the test."""
        return self._ok(self.call("PUT", path, body), status)

    @staticmethod
    def _ok(response: TestResponse, status: int) -> Any:
        assert response.status_code == status, response.get_data(as_text=True)
        return response.get_json()

    def sender(self, **more: Any) -> str:
        """Publishes a sender."""
        return str(self.post("/senders", {**IDENTITY, **more}, 201)["id"])

    def purpose(self, title: str = "weekly offers", **more: Any) -> str:
        """Publishes a purpose."""
        return str(self.post("/purposes", {"titles": {"en": title}, **more}, 201)["id"])

    def wording(self, sender: str, purpose: str, title: str = "weekly offers", **more: Any) -> str:
        """Writes and publishes a wording."""
        made = self.post("/wordings", wording(sender, purpose, title, **more), 201)
        self.post(f"/wordings/{made['id']}:publish")
        return str(made["id"])

    def form(self, **more: Any) -> Made:
        """Publishes everything up to a form."""
        sender, purpose = self.sender(), self.purpose()
        text = self.wording(sender, purpose)
        body = {"sender": sender, "language": "en", "wordings": [text], **more}
        made = self.post("/forms", body, 201)["id"]
        self.post(f"/forms/{made}:publish")
        return Made(sender, purpose, text, str(made))


class Made:
    """The ids of a published form and of its parts."""

    def __init__(self, sender: str, purpose: str, wording: str, form: str) -> None:
        self.sender, self.purpose, self.wording, self.form = sender, purpose, wording, form


def wording(sender: str, purpose: str, title: str = "weekly offers", **more: Any) -> dict[str, Any]:
    """The body of a wording that lacks nothing."""
    legal_name = IDENTITY["legal_name"]
    return {
        "sender": sender,
        "purpose": purpose,
        "language": "en",
        "controllers": [legal_name],
        "statement": f"Yes, {legal_name} may send me its {title} by e-mail.",
        "withdrawal": "You can take this back at any time with the link in every message.",
        "notice_text": NOTICE.format(legal_name=legal_name),
        **more,
    }
