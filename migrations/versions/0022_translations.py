"""Forms in several languages."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.add_column("form", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("form", sa.Column("language", sa.Text(), server_default="", nullable=False))
    op.add_column("form", sa.Column("translation_of", sa.Uuid(), nullable=True))
    connection = op.get_bind()
    form = sa.table(
        "form", sa.column("form_id", sa.Uuid()), sa.column("draft"), sa.column("language")
    )
    # Both engines keep the draft as text; a language may stand nowhere else.
    for form_id, draft in connection.execute(sa.select(form.c.form_id, form.c.draft)).all():
        language = json.loads(draft)["language"]
        connection.execute(form.update().where(form.c.form_id == form_id).values(language=language))
    op.create_index("uq_form_name", "form", ["organisation_id", "name"], unique=True)
    op.create_index("uq_form_translation", "form", ["translation_of", "language"], unique=True)


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_index("uq_form_translation", table_name="form")
    op.drop_index("uq_form_name", table_name="form")
    op.drop_column("form", "translation_of")
    op.drop_column("form", "language")
    op.drop_column("form", "name")
