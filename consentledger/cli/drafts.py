"""Files that commands write: whole or not at all, readable by their owner alone from the first byte."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from consentledger.kernel.errors import ConfigurationError


@contextmanager
def draft_of(output: Path) -> Iterator[BinaryIO]:
    """Open a file beside `output` that takes its place when the block ends well: whole, or not at all."""
    try:
        # Mode 0600 from its first byte.
        descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    except OSError as error:
        raise ConfigurationError(f"Cannot write {output}: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, output)
    except BaseException:
        os.unlink(name)
        raise


@contextmanager
def text_draft_of(output: Path) -> Iterator[TextIO]:
    """Open the same for text: UTF-8, LF at the end of lines."""
    with draft_of(output) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="\n")
        try:
            yield text
            text.flush()
        finally:
            text.detach()  # the file below is synced and closed by its own block
