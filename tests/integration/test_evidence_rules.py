"""A bundle carries the rules that held: every adopted pack byte by byte, and what counted as similar."""

from __future__ import annotations

import base64
import io
import zipfile

import pytest

from consentledger.db.installation import Installation
from consentledger.law.reading import packs as brought
from consentledger.organisations.categories import PublishCategories, publish_categories
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from tests.factories import create_published_form
from tests.support.evidence import ANNA, Path


@pytest.fixture
def path(installation: Installation) -> Path:
    made = create_published_form(installation.database, installation.settings)
    return Path(installation, made)


def adopt(path: Path, *adoptions: Adoption) -> None:
    command = AdoptPacks(path.made.organisation_id, adoptions, "operator")
    with path.installation.database.begin() as tx:
        adopt_packs(tx, command)


def test_each_adopted_pack_is_in_the_bundle_and_every_permit_is_decided_again(path: Path) -> None:
    adopt(path, Adoption("DE", ("exception=off",)))
    link = path.decide(path.request())
    assert link
    path.press(link)
    path.permit(ANNA)
    adopt(path, Adoption("FR"), Adoption("DE"))
    command = PublishCategories(path.made.organisation_id, ("a", "a/b"), ("a",), "operator")
    with path.installation.database.begin() as tx:
        publish_categories(tx, command)
    path.permit(ANNA)
    data, report = path.verified()
    assert report.exit_code == 0, report.text()
    assert "2 permits and 0 denials" in report.text()
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        files = {name: opened.read(name) for name in opened.namelist() if name.startswith("rules/")}
        proofs = [opened.read(name) for name in opened.namelist() if name.endswith("tlog-proof")]
    assert files == {
        f"rules/{name}.toml": brought.pack_bytes(name) for name in ("XX@1", "EU@1", "DE@1", "FR@1")
    }
    leaves = [base64.b64decode(proof.split(b"extra ")[1].split(b"\n")[0]) for proof in proofs]
    kinds = [leaf.split(b"\n")[1].decode() for leaf in leaves]
    assert kinds.count("kind pack.adopted/2") == 5
    assert kinds.count("kind categories.published/1") == 1
    said = [one.text for one in report.findings if one.text.startswith("The rule pack ")]
    assert len(said) == 4
