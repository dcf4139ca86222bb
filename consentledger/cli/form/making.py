"""`form new`, `edit`, `translate`, `example`: from a file to a draft, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.form import finding
from consentledger.cli.form.finding import Found, typed
from consentledger.cli.form.reading import form_plan, translation_plan
from consentledger.cli.form.skeleton import skeleton
from consentledger.cli.output import as_json, json_option
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import InputError
from consentledger.kernel.settings import Settings
from consentledger.organisations.studio.making import (
    Planned,
    change_form,
    make_form,
    translate_form,
)

ACTOR = "operator"
EXAMPLE = Path(__file__).parent / "example.toml"
file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command("example")
def example_command() -> None:
    """Print a form's file with a word on every line of it: the beginning of your own."""
    click.echo(EXAMPLE.read_text(encoding="utf-8"), nl=False)


@click.command("new")
@file_argument
@finding.organisation_option
@json_option
def new_command(file: Path, organisation: str | None, json: bool) -> None:
    """Make a form from FILE, with its purposes and wordings, as a draft that you then look at and publish.

    Everything that FILE names by a title is found or made; when one line is wrong, nothing is made. Titles of new
    purposes and a new sender are published at once, since people know them by these names ever after.
    """
    with _transaction() as tx, _told_of(file):
        owner = finding.organisation(tx.session, organisation)
        done = make_form(tx, form_plan(file, owner.organisation_id, ACTOR))
        found = _written(tx, owner.organisation_id, done)
    _tell(found, done, json=json)


@click.command("edit")
@click.argument("form")
@file_argument
@finding.organisation_option
@json_option
def edit_command(form: str, file: Path, organisation: str | None, json: bool) -> None:
    """Replace FORM's draft by what FILE says; what is published stays until you publish again.

    To begin from what there is: consentledger form show FORM --toml > FILE
    """
    with _transaction() as tx, _told_of(file):
        owner = finding.organisation(tx.session, organisation)
        found = finding.form(tx.session, owner.organisation_id, form)
        if found.facts.translation_of is not None:
            raise InputError(
                f"{form} is a translation: consentledger form translate FORM {typed(str(file))}",
                field="form",
                reason="translation",
            )
        plan = form_plan(file, owner.organisation_id, ACTOR)
        done = change_form(tx, found.facts.form_id, plan)
        found = _written(tx, owner.organisation_id, done)
    _tell(found, done, json=json)


@click.command("translate")
@finding.form_argument
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--to", "tag", metavar="TAG", help="Print a file to fill in for this language.")
@finding.organisation_option
@json_option
def translate_command(
    form: str | None, file: Path | None, tag: str | None, organisation: str | None, json: bool
) -> None:
    """Draft FORM's translation from FILE, or print such a file to fill in (--to TAG).

    Sender, boxes and their order, inputs, origins and return addresses are those of FORM.
    """
    if (file is None) == (tag is None):
        raise click.UsageError("Name a FILE, or a language with --to TAG to have one printed.")
    with _transaction() as tx, _told_of(file):
        owner = finding.organisation(tx.session, organisation)
        found = finding.form(tx.session, owner.organisation_id, form)
        if file is None:
            click.echo(skeleton(found, translated_to=tag), nl=False)
            return
        plan = translation_plan(file, owner.organisation_id, ACTOR)
        done = translate_form(tx, found.facts.form_id, plan)
        found = _written(tx, owner.organisation_id, done)
    _tell(found, done, json=json)


@contextmanager
def _transaction() -> Iterator[Tx]:
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        yield tx


@contextmanager
def _told_of(file: Path | None) -> Iterator[None]:
    """Lets an error of what a file says begin with the file's name."""
    try:
        yield
    except InputError as error:
        if file is None or file.name in str(error):
            raise
        raise InputError(f"{file.name}: {error}", field=error.field, reason=error.reason) from error


def _written(tx: Tx, organisation_id: UUID, done: Planned) -> Found:
    return finding.form(tx.session, organisation_id, str(done.form_id))


def _tell(found: Found, done: Planned, *, json: bool) -> None:
    if json:
        as_json(
            form=str(done.form_id),
            name=found.facts.name,
            language=found.language,
            made=done.made,
            sender=done.sender,
            purposes=list(done.purposes),
            titles=list(done.titles),
            wordings=done.wordings,
        )
        return
    titles = ", ".join(box.title for box in found.parts.boxes)
    drafted = "drafted" if done.made else "drafted anew"
    click.echo(
        f"The form {found.title} is {drafted} in {found.language}, with the boxes: {titles}."
    )
    if done.sender:
        click.echo(f"  the sender {done.sender} is published")
    for title in done.purposes:
        click.echo(f"  the purpose {title} is published")
    for title in done.titles:
        click.echo(f"  a purpose is called {title} in {found.language} now")
    click.echo(f"  {done.wordings} wordings are drafted; publishing the form publishes them\n")
    click.echo("Now look at it, then publish it:")
    click.echo(f"  consentledger form preview {found.words}")
    click.echo(f"  consentledger form publish {found.words}")
