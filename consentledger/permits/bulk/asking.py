"""From a body's pieces to the command that decides about them."""

from __future__ import annotations

from dataclasses import replace

from consentledger.permits.bulk.body import Piece
from consentledger.permits.reading import with_recipients
from consentledger.permits.rules import IssuePermits


def command_for(head: IssuePermits, piece: Piece) -> IssuePermits:
    """Returns the command that asks about a piece's recipients; `head` is the message."""
    if piece.said:
        return with_recipients(head, piece.said)
    return replace(head, recipients=tuple([one or "" for one in piece.addresses]))
