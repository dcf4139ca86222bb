"""`form list`, `show`, `check`, `snippet`: what there is, what it lacks, and what to paste."""

from __future__ import annotations

from dataclasses import asdict

import click

from consentledger.cli.context import opened_database
from consentledger.cli.form import finding
from consentledger.cli.form.finding import Found, typed
from consentledger.cli.form.page import page
from consentledger.cli.form.skeleton import skeleton
from consentledger.cli.output import as_json, json_option
from consentledger.consents.figures import form_figures
from consentledger.kernel.clock import now
from consentledger.kernel.settings import Settings
from consentledger.organisations.studio.publishing import lacking
from consentledger.organisations.translations import completeness
from consentledger.web.snippets import pasted, snippets
from consentledger.web.words import LANGUAGES

PAUSED = (
    "since {at}: of {mailed} people it wrote to {confirmed} confirmed; when that is settled: "
    "consentledger form resume {words}"
)
FIGURES = "{each.requests} asked, {each.mailed} got the mail, {each.confirmed} confirmed"
KINDS = ("element", "pinned", "iframe", "html", "curl", "page")


@click.command("list")
@finding.organisation_option
@json_option
def list_command(organisation: str | None, json: bool) -> None:
    """List the forms, each with its languages and whether it is served."""
    settings = Settings.load()
    with opened_database(settings) as database, database.read() as session:
        owner = finding.organisation(session, organisation)
        known = finding.all_forms(session, owner.organisation_id)
    if json:
        as_json(forms=[_as_dict(one, settings) for one in known])
        return
    for one in known:
        if one.facts.translation_of is None:
            click.echo(_line(one))
            for other in known:
                if other.facts.translation_of == one.facts.form_id:
                    click.echo(f"  {_line(other)}")
    if not known:
        click.echo("There is no form yet: consentledger form example > form.toml")


@click.command("show")
@finding.form_argument
@finding.language_option
@finding.organisation_option
@click.option("--toml", is_flag=True, help="Print it as a file for `form edit`.")
@json_option
def show_command(
    form: str | None, language: str | None, organisation: str | None, toml: bool, json: bool
) -> None:
    """Show FORM: its draft, whether it is served, and where (without FORM: the only one there is)."""
    settings = Settings.load()
    with opened_database(settings) as database, database.read() as session:
        owner = finding.organisation(session, organisation)
        found = finding.form(session, owner.organisation_id, form, language)
        figures = form_figures(session, owner.organisation_id, found.facts.form_id, now())
    if toml:
        click.echo(skeleton(found), nl=False)
        return
    if json:
        as_json(**_as_dict(found, settings))
        return
    spec = found.parts.spec
    lines = [
        ("form", f"{found.title}  {found.facts.form_id}"),
        ("state", _state(found)),
        ("page", f"{settings.base_url}/f/{found.facts.form_id}"),
        ("language", found.language),
        ("sender", found.parts.sender.identity.name),
        ("inputs", ", ".join(item.name for item in spec.fields)),
        *(("box", f"{box.title}: {box.statement}") for box in found.parts.boxes),
        ("origins", ", ".join(spec.origins) or "none: only its own page shows it"),
        ("returns", ", ".join(spec.returns) or "none"),
    ]
    if found.facts.paused:
        lines.append(("paused", PAUSED.format(**found.facts.paused, words=found.words)))
    lines += [
        ("one day" if each.days == 1 else f"{each.days} days", FIGURES.format(each=each))
        for each in figures
    ]
    for name, value in lines:
        click.echo(f"{name:<10}{value}")


@click.command("check")
@finding.form_argument
@finding.language_option
@finding.organisation_option
@json_option
def check_command(
    form: str | None, language: str | None, organisation: str | None, json: bool
) -> int:
    """Say what FORM and its translations lack before they can be published; exit code 1 when something does."""
    with opened_database(Settings.load()) as database, database.read() as session:
        owner = finding.organisation(session, organisation)
        found = finding.form(session, owner.organisation_id, form, language)
        said = completeness(session, owner.organisation_id, found.facts.form_id, LANGUAGES)
        every = [
            (one, lacking(session, owner.organisation_id, one))
            for one in (said, *said.translations)
        ]
    incomplete = any(gaps for _, gaps in every)
    if json:
        as_json(
            complete=not incomplete,
            languages=[
                {
                    "form": str(one.form_id),
                    "language": one.language,
                    "served": one.served,
                    "gaps": [asdict(gap) for gap in gaps],
                    "warnings": [asdict(gap) for gap in one.warnings],
                }
                for one, gaps in every
            ],
        )
        return int(incomplete)
    for one, gaps in every:
        served = "served" if one.served else "not served"
        lacks = f"lacks {len(gaps)}" if gaps else "nothing is missing"
        click.echo(f"{found.title} in {one.language} ({served}): {lacks}")
        for gap in (*gaps, *one.warnings):
            click.echo(f"  {'lacks' if gap in gaps else 'look'}: {gap.message}")
    return int(incomplete)


@click.command("snippet")
@finding.form_argument
@finding.organisation_option
@click.option(
    "--as",
    "kind",
    type=click.Choice(KINDS),
    default="element",
    show_default=True,
    help="element: one line; pinned: with its hash; page: a whole page to try it on.",
)
@json_option
def snippet_command(form: str | None, organisation: str | None, kind: str, json: bool) -> None:
    """Print what to paste into a page to have FORM on it, and nothing else."""
    settings = Settings.load()
    with opened_database(settings) as database, database.read() as session:
        owner = finding.organisation(session, organisation)
        found = finding.form(session, owner.organisation_id, form)
        made = snippets(pasted(session, settings.base_url, found.facts))
    if json:
        as_json(**asdict(made))
        return
    click.echo(page(found, made) if kind == "page" else getattr(made, kind))


def _state(found: Found) -> str:
    facts = found.facts
    return f"{facts.state}, version {facts.version}" if facts.version else facts.state


def _line(found: Found) -> str:
    titles = ", ".join(box.title for box in found.parts.boxes)
    name = typed(found.facts.name) if found.facts.name else str(found.facts.form_id)
    return f"{name}  {found.language}  {_state(found)}  {titles}"


def _as_dict(found: Found, settings: Settings) -> dict[str, object]:
    spec, facts = found.parts.spec, found.facts
    first = facts.translation_of
    return {
        "form": str(facts.form_id),
        "name": facts.name,
        "translation_of": None if first is None else str(first),
        "language": found.language,
        "state": facts.state,
        "version": facts.version,
        "page": f"{settings.base_url}/f/{facts.form_id}",
        "sender": found.parts.sender.identity.name,
        "boxes": [box.title for box in found.parts.boxes],
        "inputs": [item.name for item in spec.fields],
        "origins": list(spec.origins),
        "returns": list(spec.returns),
    }
