"""/categories: publish the product categories, read them."""

from __future__ import annotations

from typing import Any

from flask import Response

from consentledger.kernel.errors import NotFoundError
from consentledger.organisations import categories
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.pack_shapes import CategoriesInSchema, CategoriesSchema, VersionQuery

blueprint = ApiBlueprint("categories", __name__, "Product categories, and what counts as similar")
CATEGORIES = CategoriesSchema()


@blueprint.operation(
    "POST", "/categories", scope="publish", takes=CategoriesInSchema(), gives=CATEGORIES, status=201
)
def publish_categories(given: dict[str, Any]) -> Response:
    """Publish the product categories in a new version; the same ones again keep their version."""
    command = categories.PublishCategories(
        caller().organisation_id,
        tuple(given["categories"]),
        tuple(given["groups"]),
        caller().actor,
    )
    return act(lambda tx: categories.publish_categories(tx, command), CATEGORIES, 201)


@blueprint.operation("GET", "/categories", scope="publish", query=VersionQuery(), gives=CATEGORIES)
def read_categories(query: dict[str, Any]) -> Response:
    """Read the product categories in their newest version, or in an older one."""
    organisation_id, version = caller().organisation_id, query["version"]
    with reading() as session:
        if version is not None:
            return answer(CATEGORIES.dump(categories.of_version(session, organisation_id, version)))
        found = categories.newest(session, organisation_id)
    if found is None:
        raise NotFoundError("no categories were published yet")
    return answer(CATEGORIES.dump(found))
