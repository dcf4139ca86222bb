"""Sealing to the escrow key, byte by byte as docs/erasure.md says."""

from __future__ import annotations

from uuid import UUID

import pytest

from consentledger.erasure import escrow
from consentledger.kernel.errors import InputError, IntegrityError

ORGANISATION = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
ERASURE = UUID("01890a5d-ac96-774b-bcce-b302099a8058")
PRIVATE, EPHEMERAL, NONCE = bytes(range(32)), bytes(range(32, 64)), bytes(range(12))
PUBLIC = "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8"
SEALED = (
    "01358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd16625400010203040506"
    "0708090a0b2c2d51c7840147a7c165f2d01e8846d1df599bf13e95b10b1b508b6705aefb71178460"
    "c3c69bec7fb0"
)


def test_the_test_vector() -> None:
    public = escrow.public_of(PRIVATE)
    assert escrow.write_key(public) == PUBLIC
    sealed = escrow.seal(
        b'{"address":"a@b.example"}',
        public,
        ORGANISATION,
        ERASURE,
        ephemeral=EPHEMERAL,
        nonce=NONCE,
    )
    assert sealed.hex() == SEALED
    assert (
        escrow.open_sealed(sealed, PRIVATE, ORGANISATION, ERASURE) == b'{"address":"a@b.example"}'
    )


def test_nobody_else_opens_it_and_nothing_may_be_moved() -> None:
    sealed = escrow.seal(b"x", escrow.public_of(PRIVATE), ORGANISATION, ERASURE)
    assert sealed != escrow.seal(b"x", escrow.public_of(PRIVATE), ORGANISATION, ERASURE)
    wrong = [
        (sealed, escrow.new_private(), ORGANISATION, ERASURE),
        (sealed, PRIVATE, ERASURE, ERASURE),
        (sealed, PRIVATE, ORGANISATION, ORGANISATION),
        (b"\x02" + sealed[1:], PRIVATE, ORGANISATION, ERASURE),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), PRIVATE, ORGANISATION, ERASURE),
        (sealed[:1] + bytes(32) + sealed[33:], PRIVATE, ORGANISATION, ERASURE),
        (b"", PRIVATE, ORGANISATION, ERASURE),
    ]
    for arguments in wrong:
        with pytest.raises(IntegrityError):
            escrow.open_sealed(*arguments)


@pytest.mark.parametrize("text", ["", "x" * 43 + "=", "x" * 42, "é" * 43, PUBLIC[:-1] + "9"])
def test_keys_are_read_strictly(text: str) -> None:
    with pytest.raises(InputError):
        escrow.read_key(text)
