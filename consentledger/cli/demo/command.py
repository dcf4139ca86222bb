"""`consentledger demo`: everything on this machine, to click through or played by itself."""

from __future__ import annotations

import shlex
import signal
import tempfile
from pathlib import Path

import click

from consentledger.cli.demo.instance import Instance
from consentledger.cli.demo.once import play
from consentledger.cli.demo.seed import open_shop
from consentledger.cli.demo.world import World, free_sockets, kept_sockets, running, watched
from consentledger.kernel import logging


@click.command()
@click.option(
    "--once", is_flag=True, help="Play the whole path once on free ports, check it, leave."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --once: write bundle.zip and policy.txt here.",
)
@click.option(
    "--instance",
    default="instance",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo keeps database, keys and mail; --once uses a folder that it removes.",
)
def demo(once: bool, out: Path | None, instance: Path) -> int:
    """Run everything on this machine: service, worker, a shop that embeds a form, and a mailbox.

    With --once, exit code 0 means that every step held.
    """
    logging.configure("WARNING")
    if once:
        return _once(out)
    opened = Instance.open(instance)
    with running(opened, kept_sockets(opened)) as world:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, world.children.stop)
        open_shop(world)
        _tell(world)
        return world.children.watch()


def _once(out: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="consentledger-demo-") as folder:
        instance = Instance.open(Path(folder) / "instance")
        target = out or Path(folder) / "out"
        target.mkdir(parents=True, exist_ok=True)
        with running(instance, free_sockets()) as world, watched(world):
            return play(world, target)


def _tell(world: World) -> None:
    lines = (
        ("The shop", world.shop, "sign up here: one line of HTML, an iframe, or a plain form"),
        ("The mailbox", world.mailbox, "open the mail, press the button"),
        ("The shop’s office", f"{world.shop}/office", "ask whom you may mail, and send"),
        ("The service", world.service, "what recipients see"),
        ("The API", f"{world.service}/api/v1/openapi.json", "OpenAPI 3.1"),
    )
    click.echo("\nEverything runs on this machine. Stop it with Ctrl-C.\n")
    for name, address, what in lines:
        click.echo(f"  {name:<18} {click.style(address, underline=True)}\n  {'':<18} {what}")
    env = world.instance.folder / "env"
    click.echo(
        f"  {'Commands':<18} . {shlex.quote(str(env))}\n  {'':<18} makes a shell speak to this demo"
    )
    click.echo(f"\nDatabase, keys, mail and logs are in {world.instance.folder}\n")
