"""How commands print: sentences for people, or one JSON object for scripts."""

from __future__ import annotations

import json as json_module
from typing import Any

import click

json_option = click.option(
    "--json", is_flag=True, help="Print one JSON object instead of sentences."
)


def as_json(**values: Any) -> None:
    """Print one JSON object on a line of its own."""
    click.echo(json_module.dumps(values, ensure_ascii=False))
