"""One installation at several moments of a rotation: the same database and guard under other lists of keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

import pytest

from consentledger.cli import main
from consentledger.db.installation import Installation, open_installation
from tests.support.installations import settings_from

Opened = Callable[..., Installation]
Command = Callable[..., tuple[int, str, str]]


def with_keys(environment: Mapping[str, str], **keys: str) -> dict[str, str]:
    """The environment with other values; an empty one unsets."""
    changed = {**environment, **{f"CONSENTLEDGER_{name}": value for name, value in keys.items()}}
    return {name: value for name, value in changed.items() if value}


@contextmanager
def openings(environment: Mapping[str, str]) -> Iterator[Opened]:
    """A function that opens the installation under other keys, closed at the end."""
    with ExitStack() as stack:

        def opened(**keys: str) -> Installation:
            found = open_installation(settings_from(with_keys(environment, **keys)))
            stack.enter_context(closing(found.database))
            return found

        yield opened


def commands(
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """A function that runs a command as a shell does: exit code, stdout, stderr; `keys` change the environment."""

    def run(*words: object, **keys: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            for name in environment:
                patch.delenv(name, raising=False)
            for name, value in with_keys(environment, **keys).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as left:
                main([str(word) for word in words])
        said = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, said.out, said.err

    return run
