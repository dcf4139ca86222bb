"""A post that cannot be taken as it is: the form comes back for one more press, and nothing is appended before that."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from consentledger.limits.form_tokens import FormTokens
from tests.web.acts import MARIA, size_of
from tests.web.town import ORIGIN, Shop

SAYS_AGAIN = "One more press, please"


@pytest.fixture
def tokens(installation: Installation) -> FormTokens:
    return FormTokens(installation.settings.secrets.secret_keys)


def inputs(page: str) -> dict[str, str]:
    """What a browser would post of a page's inputs, boxes aside."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            found[name[1]] = value[1] if value else ""
    return found


def test_a_pasted_form_without_a_script_leads_to_one_more_press(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    before = size_of(installation, shop)
    pasted = {
        "email": MARIA,
        "name": "Maria",
        "purpose": str(shop.offers),
        "return": f"{ORIGIN}/thanks",
    }
    page = client.post(shop.form, data=pasted, headers={"Origin": ORIGIN})
    assert page.status_code == 422
    assert page.text.count(SAYS_AGAIN) == 2
    assert "checked" not in page.text
    again = inputs(page.text)
    assert "website" not in again
    assert (again["email"], again["name"], again["source"]) == (MARIA, "Maria", "hosted")
    assert size_of(installation, shop) == before
    own = {"Origin": "https://consent.test"}
    without_a_box = client.post(shop.form, data=again, headers=own)
    assert without_a_box.status_code == 422
    assert 'id="purpose-error"' in without_a_box.text
    done = client.post(shop.form, data={**again, "purpose": str(shop.offers)}, headers=own)
    assert done.status_code == 200
    assert f'href="{ORIGIN}/thanks"' in done.text
    assert size_of(installation, shop) == before + 1
