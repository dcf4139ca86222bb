"""`consentledger form …`: make, look, publish, translate, embed."""

from __future__ import annotations

import click

from consentledger.cli.form.looking import (
    check_command,
    list_command,
    show_command,
    snippet_command,
)
from consentledger.cli.form.making import (
    edit_command,
    example_command,
    new_command,
    translate_command,
)
from consentledger.cli.form.preview import preview_command
from consentledger.cli.form.publishing import (
    origins_command,
    publish_command,
    resume_command,
    take_down_command,
)


@click.group()
def form() -> None:
    """Sign-up forms: make one from a file, look at it, publish it, translate it, paste it into a page.

    FORM is its name, its id, or the title of one of its boxes; where there is only one, leave it out.
    """


for command in (
    check_command,
    edit_command,
    example_command,
    list_command,
    new_command,
    origins_command,
    preview_command,
    publish_command,
    resume_command,
    show_command,
    snippet_command,
    take_down_command,
    translate_command,
):
    form.add_command(command)
