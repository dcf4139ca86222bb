"""`form preview`: a draft as people would see it, in a file of its own."""

from __future__ import annotations

import re
from pathlib import Path

import click

from consentledger.app import create_app
from consentledger.cli.context import opened_installation
from consentledger.cli.drafts import text_draft_of
from consentledger.cli.form import finding
from consentledger.cli.form.finding import Found
from consentledger.kernel.settings import Settings
from consentledger.organisations.studio.publishing import lacking
from consentledger.organisations.translations import completeness
from consentledger.web.public.form.preview import preview_file
from consentledger.web.words import LANGUAGES


@click.command("preview")
@finding.form_argument
@finding.language_option
@finding.organisation_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it; without, FORM.LANGUAGE.preview.html here.",
)
def preview_command(
    form: str | None, language: str | None, organisation: str | None, output: Path | None
) -> None:
    """Write FORM's draft as people would see it into an HTML file, and print the file's name.

    It needs no server: open it in a browser. Nothing can be sent from it.
    """
    settings = Settings.load()
    with opened_installation(settings) as installation:
        with installation.database.read() as session:
            owner = finding.organisation(session, organisation)
            found = finding.form(session, owner.organisation_id, form, language)
            said = completeness(session, owner.organisation_id, found.facts.form_id, LANGUAGES)
            gaps = lacking(session, owner.organisation_id, said)
        app = create_app(settings, installation)
        html = preview_file(app, found.facts, found.parts, [gap.message for gap in gaps])
    file = output or Path(f"{_file_name(found)}.{found.language}.preview.html")
    with text_draft_of(file) as draft:
        draft.write(html)
    click.echo(file)
    for gap in gaps:
        click.echo(f"  before it can be published: {gap.message}", err=True)


def _file_name(found: Found) -> str:
    """A form's name as a file's: nothing in it that leads elsewhere."""
    return re.sub(r"[^A-Za-z0-9]+", "-", found.first.name or "form").strip("-") or "form"
