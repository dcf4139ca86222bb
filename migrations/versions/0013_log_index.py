"""Makes the table of sorted labels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

REFUSE = "BEGIN SELECT RAISE(ABORT, 'log_index is insert-only'); END"


def _make_insert_only() -> None:
    """The triggers that the log's other tables have had since revision 0001."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION log_index_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION 'log_index is insert-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER log_index_insert_only BEFORE UPDATE OR DELETE ON log_index "
            "FOR EACH ROW EXECUTE FUNCTION log_index_refuse()"
        )
        op.execute(
            "CREATE TRIGGER log_index_no_truncate BEFORE TRUNCATE ON log_index "
            "FOR EACH STATEMENT EXECUTE FUNCTION log_index_refuse()"
        )
        return
    op.execute(f"CREATE TRIGGER log_index_no_update BEFORE UPDATE ON log_index {REFUSE}")
    op.execute(f"CREATE TRIGGER log_index_no_delete BEFORE DELETE ON log_index {REFUSE}")
    # INSERT OR REPLACE passes by both triggers above, by either of the two keys.
    same = "entry_index = NEW.entry_index OR first = NEW.first"
    exists = (
        f"EXISTS (SELECT 1 FROM log_index WHERE organisation_id = NEW.organisation_id AND ({same}))"  # noqa: S608 - our own names
    )
    op.execute(
        f"CREATE TRIGGER log_index_no_replace BEFORE INSERT ON log_index WHEN {exists} {REFUSE}"
    )


def _drop_insert_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER log_index_no_truncate ON log_index")
        op.execute("DROP TRIGGER log_index_insert_only ON log_index")
        op.execute("DROP FUNCTION log_index_refuse()")
        return
    for name in ("no_update", "no_delete", "no_replace"):
        op.execute(f"DROP TRIGGER log_index_{name}")


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "log_index",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "first >= 0 AND first < size AND size <= entry_index",
            name=op.f("ck_log_index_range_below"),
        ),
        sa.CheckConstraint("length(labels) % 32 = 0", name=op.f("ck_log_index_labels_length")),
        sa.PrimaryKeyConstraint("organisation_id", "entry_index", name=op.f("pk_log_index")),
        sa.UniqueConstraint(
            "organisation_id", "first", name=op.f("uq_log_index_organisation_id_first")
        ),
    )
    _make_insert_only()


def downgrade() -> None:
    """Undoes this revision."""
    _drop_insert_only()
    op.drop_table("log_index")
