"""Writes the parts of docs/ that are derived from code.

entries.md from the kinds, commands.md from click, api.md from the routes and the OpenAPI document,
work.md from the worker's handlers.

    python tools/reference.py          write them
    python tools/reference.py --check  say whether they are up to date (exit 1 if not)

Prose around them stays: only what stands between the two marker lines is replaced.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from reference_api import api, work

from consentledger.cli import cli
from consentledger.ledger.kinds import KINDS, Kind
from consentledger.ledger.kinds.model import COMMON, CONTACT

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "<!-- derived by tools/reference.py: do not edit below -->"
END = "<!-- end of what is derived -->"
TYPES = {
    "str": "text",
    "strs": "list of texts",
    "int": "integer",
    "bool": "true or false",
    "time": "instant",
    "hash": "SHA-256, hex",
    "blob": "blob",
    "permit": "permit",
}


def entries() -> str:
    """Return a section per kind: what it means, its plain lines, its fields."""
    return "\n".join(_kind(KINDS[key]) for key in sorted(KINDS))


def _kind(kind: Kind) -> str:
    lines = [f"### {kind.name}/{kind.version}", "", kind.doc, ""]
    facts = ["about a contact"] if kind.contact else []
    if kind.affects:
        facts.append(f"affects the whole {kind.affects}’s decisions")
    if facts:
        lines += [f"*{', '.join(facts).capitalize()}.*", ""]
    if kind.plain:
        lines += [f"Plain lines: {', '.join(f'`{name}`' for name in kind.plain)}.", ""]
    common = {field.name for field in (*COMMON, *(CONTACT if kind.contact else ()))}
    own = [field for field in kind.fields if field.name not in common]
    if own:
        lines += ["| field | type | opening |", "|---|---|---|"]
    for field in own:
        nullable = " or null" if field.nullable else ""
        lines.append(f"| `{field.name}` | {TYPES[field.type]}{nullable} | {field.opening} |")
    return "\n".join([*lines, ""])


def commands() -> str:
    """Return a section per command: its help, arguments and options."""
    return "\n".join(_commands(cli, "consentledger"))


def _commands(group: click.Group, path: str) -> list[str]:
    found: list[str] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        if isinstance(command, click.Group):
            found += _commands(command, f"{path} {name}")
        else:
            found.append(_command(command, f"{path} {name}"))
    return found


def _command(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"### {path}", "", f"    {path} {usage}", ""]
    lines += ["\n".join(line.strip() for line in (command.help or "").strip().splitlines()), ""]
    options = [p for p in command.params if isinstance(p, click.Option)]
    if options:
        lines += ["| option | what |", "|---|---|"]
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            lines.append(f"| `{record[0]}` | {record[1]} |".replace("  ", " "))
    return "\n".join([*lines, ""])


def main() -> int:
    """Write or check the files; return the exit code."""
    stale = []
    pages = {"entries.md": entries, "commands.md": commands, "api.md": api, "work.md": work}
    for name, derive in pages.items():
        text = derive()
        file = ROOT / "docs" / name
        prose, _, rest = file.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        whole = f"{prose}{BEGIN}\n\n{text}\n{END}{after}"
        if whole != file.read_text():
            stale.append(name)
            if "--check" not in sys.argv:
                file.write_text(whole)
    if stale and "--check" in sys.argv:
        print(
            f"docs/{', docs/'.join(stale)}: stale; run: python tools/reference.py", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
