"""A whole page to try a form on, with nothing of ours but the one line."""

from __future__ import annotations

from html import escape

from consentledger.cli.form.finding import Found
from consentledger.web.snippets import Snippets

PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{sender}</title>
<h1>{sender}</h1>
{element}
</html>"""


def page(found: Found, made: Snippets) -> str:
    """Returns the page's HTML."""
    return PAGE.format(
        language=escape(found.language),
        sender=escape(found.parts.sender.identity.name),
        element=made.element,
    )
