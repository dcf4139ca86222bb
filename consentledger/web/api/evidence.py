"""POST /evidence: everything that shows what may be sent to one address, as a bundle that checks offline."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from flask import Response, send_file
from marshmallow import Schema, fields, validate

from consentledger.evidence.service import ExportEvidence, export
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Flag, address_field
from consentledger.web.services import installation

blueprint = ApiBlueprint("evidence", __name__, "Bundles for auditors")
IN_MEMORY = 16 * 1024 * 1024


class EvidenceInSchema(Schema):
    """Whose evidence, and how much of it."""

    address = address_field("whose evidence it is")
    labels = Flag(
        load_default=True,
        metadata={
            "description": "disclose the contact's label key, and show that no later entry of it exists"
        },
    )
    since = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(1, 2**53 - 1),
        metadata={"description": "size of an earlier checkpoint, to prove that the log only grew"},
    )


@blueprint.operation(
    "POST", "/evidence", scope="evidence:read", takes=EvidenceInSchema(), file="application/zip"
)
def export_evidence(given: dict[str, Any]) -> Response:
    """Take away the evidence about an address; may index the log. A repeated Idempotency-Key is answered afresh."""
    command = ExportEvidence(
        caller().organisation_id, given["address"], labels=given["labels"], since=given["since"]
    )
    # Beyond this size it goes to an unlinked file, gone with the answer.
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    try:
        export(installation(), command, cast(BinaryIO, file))
        file.seek(0)
        response = send_file(
            cast(BinaryIO, file),
            "application/zip",
            as_attachment=True,
            download_name="evidence.zip",
            conditional=False,
            etag=False,
        )
    except BaseException:
        file.close()
        raise
    # The application's default is for stylesheets: a person's evidence stays in no cache.
    response.headers["Cache-Control"] = "no-store"
    return response
