"""`form publish`, `take-down`, `resume`, `origins`: what people meet from now on."""

from __future__ import annotations

from collections.abc import Callable

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.form import finding
from consentledger.cli.form.finding import Found
from consentledger.cli.form.making import ACTOR
from consentledger.cli.output import as_json, json_option
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.settings import Settings
from consentledger.organisations.rules import GapsError
from consentledger.organisations.service import PublishForm, resume_form, unpublish_form
from consentledger.organisations.studio.publishing import (
    ChangeOrigins,
    OriginsChanged,
    PublishedWhole,
    change_origins,
    publish_whole,
)
from consentledger.web.snippets import Snippets, pasted, snippets


@click.command("publish")
@finding.form_argument
@finding.language_option
@finding.organisation_option
@json_option
def publish_command(
    form: str | None, language: str | None, organisation: str | None, json: bool
) -> int:
    """Publish FORM's draft as its next version, with the wordings that wait for it, and print what to paste.

    Exit code 1 when something is missing; everything that is, is named.
    """
    settings = Settings.load()
    try:
        found, done, made = _publish(settings, form, language, organisation)
    except GapsError as error:
        return _refused(form or "The form", error, json=json)
    if json:
        as_json(
            form=str(done.form_id),
            version=done.version,
            wordings=done.wordings,
            behind=list(done.behind),
            element=made.element,
        )
        return 0
    click.echo(
        f"{found.title} is published in {found.language}, version {done.version}: "
        f"{settings.base_url}/f/{done.form_id}"
    )
    for tag in done.behind:
        click.echo(
            f"Not served any more, since it says something else: the translation into {tag}. "
            "See: consentledger form check"
        )
    if found.facts.translation_of is not None:
        click.echo("People who read that language get it from the line you have pasted already.")
        return 0
    _tell_origins(found, found.parts.spec.origins)
    click.echo(f"\n{made.element}\n")
    click.echo(f"Other ways: consentledger form snippet {found.words} --as iframe")
    click.echo("(or pinned, html, curl; or page, for a whole page to try it on)")
    return 0


def _publish(
    settings: Settings, form: str | None, language: str | None, organisation: str | None
) -> tuple[Found, PublishedWhole, Snippets]:
    with opened_installation(settings) as installation, installation.database.begin() as tx:
        owner = finding.organisation(tx.session, organisation)
        found = finding.form(tx.session, owner.organisation_id, form, language)
        command = PublishForm(owner.organisation_id, found.facts.form_id, ACTOR)
        done = publish_whole(tx, command)
        made = snippets(pasted(tx.session, settings.base_url, found.facts))
        return found, done, made


@click.command("take-down")
@finding.form_argument
@finding.language_option
@finding.organisation_option
def take_down_command(form: str | None, language: str | None, organisation: str | None) -> None:
    """Take FORM down: it collects nothing any more. Links in mails that were sent work on."""
    found = _act(form, language, organisation, unpublish_form)
    click.echo(f"{found.title} is taken down in {found.language}.")
    click.echo(f"To serve it again: consentledger form publish {found.words}")


@click.command("resume")
@finding.form_argument
@finding.language_option
@finding.organisation_option
def resume_command(form: str | None, language: str | None, organisation: str | None) -> None:
    """Serve FORM again after it paused itself, because too few of those it wrote to confirmed."""
    found = _act(form, language, organisation, resume_form)
    click.echo(f"{found.title} is served again in {found.language}.")


def _act(
    form: str | None,
    language: str | None,
    organisation: str | None,
    verb: Callable[[Tx, PublishForm], object],
) -> Found:
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = finding.organisation(tx.session, organisation)
        found = finding.form(tx.session, owner.organisation_id, form, language)
        verb(tx, PublishForm(owner.organisation_id, found.facts.form_id, ACTOR))
        return found


@click.command("origins")
@finding.form_argument
@click.option("--add", multiple=True, metavar="ORIGIN", help="Let pages of this origin embed it.")
@click.option("--remove", multiple=True, metavar="ORIGIN", help="Let them no longer.")
@click.option(
    "--add-return", multiple=True, metavar="URL", help="Let people be led back to this address."
)
@click.option("--remove-return", multiple=True, metavar="URL", help="Let them no longer.")
@finding.organisation_option
@json_option
def origins_command(
    form: str | None,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    add_return: tuple[str, ...],
    remove_return: tuple[str, ...],
    organisation: str | None,
    json: bool,
) -> None:
    """Show whose pages may embed FORM, or change it at once, in all its languages.

    An origin is https://shop.example, without a path; http is for this machine only (http://localhost:8800).
    """
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = finding.organisation(tx.session, organisation)
        found = finding.form(tx.session, owner.organisation_id, form)
        command = ChangeOrigins(
            owner.organisation_id,
            *(found.facts.form_id, ACTOR, add, remove, add_return, remove_return),
        )
        done = change_origins(tx, command)
    if json:
        as_json(
            origins=list(done.origins),
            returns=list(done.returns),
            published=list(done.published),
            waiting=list(done.waiting),
        )
        return
    _tell_change(found, done)


def _tell_change(found: Found, done: OriginsChanged) -> None:
    _tell_origins(found, done.origins)
    if done.returns:
        click.echo(f"People may be led back to: {', '.join(done.returns)}")
    for tag in done.published:
        click.echo(f"Published in {tag}: it holds from now on.")
    for tag in done.waiting:
        click.echo(
            f"Not served so in {tag} yet: consentledger form publish {found.words} --language {tag}"
        )


def _tell_origins(found: Found, origins: tuple[str, ...]) -> None:
    if origins:
        click.echo(f"Pages of these origins may embed it: {', '.join(origins)}")
        return
    click.echo("No page of yours may embed it yet. To let one:")
    click.echo(f"  consentledger form origins {found.words} --add https://shop.example")


def _refused(title: str, error: GapsError, *, json: bool) -> int:
    if json:
        as_json(
            gaps=[
                {"field": gap.field, "reason": gap.reason, "message": gap.message}
                for gap in error.gaps
            ]
        )
        return 1
    click.echo(f"{title} can’t be published yet, nothing has changed:", err=True)
    for gap in error.gaps:
        click.echo(f"  {gap.message}", err=True)
    return 1
