"""Somebody who types our commands at a shell."""

from __future__ import annotations

from click.testing import CliRunner, Result

from consentledger.cli import cli


class Operator:
    """Types commands against the installation of an environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    def types(self, *words: str) -> str:
        """Types a command that must work; returns what it printed."""
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return str(result.output)

    def fails(self, *words: str) -> BaseException:
        """Types a command that must fail; returns its error."""
        result = self.run(*words)
        assert result.exception is not None, result.output
        return result.exception

    def run(self, *words: str) -> Result:
        """Types a command."""
        return CliRunner().invoke(cli, words, env=self._environment, standalone_mode=False)
