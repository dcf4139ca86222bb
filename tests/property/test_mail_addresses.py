"""Whatever sign-up accepts can be mailed: a request must never end because its address does not fit."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from consentledger.contacts.address import parse
from consentledger.kernel.errors import InputError
from consentledger.mail.headers import mailbox

LOCAL = st.text(
    st.one_of(
        st.sampled_from("abcXYZ019!#$%&'*+/=?^_`{|}~-."),
        st.characters(min_codepoint=0x80, max_codepoint=0x3000, exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=20,
)
LABEL = st.text(
    st.one_of(st.sampled_from("abcXYZ019-_"), st.sampled_from("äößçñéабвгд例子测试")),
    min_size=1,
    max_size=12,
)
DOMAIN = st.lists(LABEL, min_size=1, max_size=4).map(".".join)


@settings(max_examples=600)
@given(local=LOCAL, domain=DOMAIN)
@example(local="a", domain="0.0")
@example(local="a", domain="ab--cd.example")
@example(local="a", domain="xn--bcher-kva.example")
@example(local="a", domain="faß.example")
@example(local="a", domain="example.c9")
@example(local="a" * 64, domain="b" * 63 + ".example")
@example(local="jo\u0308rg", domain="example.net")
@example(local="a\u200db", domain="example.net")
@example(local="a\u00a0b", domain="example.net")
@example(local="a\u3000b", domain="example.net")
def test_an_accepted_address_has_a_form_on_the_wire(local: str, domain: str) -> None:
    try:
        accepted = parse(f"{local}@{domain}")
    except InputError:
        return
    wire = mailbox("recipient", accepted.text)
    assert wire.rpartition("@")[2] == accepted.domain.lower()
