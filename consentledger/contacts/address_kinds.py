"""Kinds of addresses that a marketer may want to know of: disposable ones, and those of a role, not a person."""

from __future__ import annotations

from disposable_email_domains import blocklist

from consentledger.contacts.address import Address

# RFC 2142, and those that list bombs and typing errors meet most.
ROLES = frozenset(
    (
        "abuse", "accounting", "accounts", "admin", "administrator", "billing", "contact", "ftp",
        "help", "helpdesk", "hostmaster", "hr", "info", "jobs", "legal", "mail", "mailer-daemon",
        "marketing", "media", "news", "newsletter", "no-reply", "noc", "noreply", "office", "orders",
        "postmaster", "press", "privacy", "root", "sales", "security", "service", "support", "sysadmin",
        "team", "usenet", "uucp", "webmaster", "www",
        # The same in other languages of Europe.
        "bestellung", "bewerbung", "buchhaltung", "buero", "contacto", "contatti", "datenschutz", "impressum",
        "kontakt", "presse", "rechnung", "verkauf", "vertrieb", "verwaltung",
    )
)  # fmt: skip


def kinds_of(address: Address) -> tuple[str, ...]:
    """Returns `disposable` and `role`, whichever the address is; by public lists, so neither is certain."""
    found = []
    if _disposable(address.domain):
        found.append("disposable")
    if address.local.partition("+")[0].casefold() in ROLES:
        found.append("role")
    return tuple(found)


def _disposable(domain: str) -> bool:
    # Providers of throw-away addresses hand out subdomains too; a top-level domain alone is never listed.
    labels = domain.lower().split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))
