"""Files that commands write: whole or not at all, readable by their owner alone from the first byte."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from consentledger.kernel.errors import ConfigurationError


@contextmanager
def draft_of(output: Path) -> Iterator[TextIO]:
    """Open a text file beside `output` that takes its place when the block ends well."""
    try:
        descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    except OSError as error:
        raise ConfigurationError(f"Cannot write {output}: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, output)
    except BaseException:
        os.unlink(name)
        raise
