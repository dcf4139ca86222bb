"""Makes the tables of the log, its keys and its checkpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSERT_ONLY = ("log_leaf", "log_node", "log_checkpoint")
KEYS = {
    "log_leaf": ("organisation_id", "entry_index"),
    "log_node": ("organisation_id", "level", "n"),
    "log_checkpoint": ("organisation_id", "size"),
}


def _make_insert_only(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN RAISE EXCEPTION '{table} is insert-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_insert_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
        )
        return
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is insert-only'); END"
    op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")
    # INSERT OR REPLACE passes by both triggers above: SQLite fires none for the row it replaces.
    same = " AND ".join(f"{column} = NEW.{column}" for column in KEYS[table])
    exists = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - our own names
    op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {exists} {refuse}")


def _drop_insert_only(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        op.execute(f"DROP TRIGGER {table}_insert_only ON {table}")
        op.execute(f"DROP FUNCTION {table}_refuse()")
        return
    for name in ("no_update", "no_delete", "no_replace"):
        op.execute(f"DROP TRIGGER {table}_{name}")


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "contact_entry",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "entry_index", name=op.f("pk_contact_entry")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_contact_entry_organisation_id_contact_id_entry_index"),
        "contact_entry",
        ["organisation_id", "contact_id", "entry_index"],
        unique=False,
    )
    op.create_table(
        "contact_key",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "key_id", name=op.f("pk_contact_key")),
    )
    op.create_index(op.f("ix_contact_key_made_at"), "contact_key", ["made_at"], unique=False)
    op.create_table(
        "installation",
        sa.Column("installation_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("guard_id", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.CheckConstraint("installation_id = 1", name=op.f("ck_installation_one_row")),
        sa.PrimaryKeyConstraint("installation_id", name=op.f("pk_installation")),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.CheckConstraint("length(root) = 32", name=op.f("ck_log_checkpoint_root_length")),
        sa.PrimaryKeyConstraint("organisation_id", "size", name=op.f("pk_log_checkpoint")),
    )
    op.create_table(
        "log_head",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(mac) = 32", name=op.f("ck_log_head_mac_length")),
        sa.CheckConstraint("length(root) = 32", name=op.f("ck_log_head_root_length")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_log_head_size_positive")),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_log_head")),
        sa.UniqueConstraint("origin", name=op.f("uq_log_head_origin")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_leaf",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("appended_at", Instant(), nullable=False),
        sa.CheckConstraint("entry_index >= 0", name=op.f("ck_log_leaf_index_positive")),
        sa.CheckConstraint("length(leaf) <= 65535", name=op.f("ck_log_leaf_leaf_length")),
        sa.CheckConstraint("length(leaf_hash) = 32", name=op.f("ck_log_leaf_hash_length")),
        sa.PrimaryKeyConstraint("organisation_id", "entry_index", name=op.f("pk_log_leaf")),
    )
    op.create_table(
        "log_node",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_log_node_hash_length")),
        sa.PrimaryKeyConstraint("organisation_id", "level", "n", name=op.f("pk_log_node")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "opening",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("opening_class", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "opening_class IN ('core', 'technical', 'copy')", name=op.f("ck_opening_class_known")
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "entry_index", "opening_class", name=op.f("pk_opening")
        ),
    )
    op.create_table(
        "organisation_key",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organisation_id", "use", "version", name=op.f("pk_organisation_key")
        ),
    )
    for table in INSERT_ONLY:
        _make_insert_only(table)


def downgrade() -> None:
    """Undoes this revision."""
    for table in INSERT_ONLY:
        _drop_insert_only(table)
    op.drop_table("organisation_key")
    op.drop_table("opening")
    op.drop_table("log_node")
    op.drop_table("log_leaf")
    op.drop_table("log_head")
    op.drop_table("log_checkpoint")
    op.drop_table("installation")
    op.drop_index(op.f("ix_contact_key_made_at"), table_name="contact_key")
    op.drop_table("contact_key")
    op.drop_index(
        op.f("ix_contact_entry_organisation_id_contact_id_entry_index"), table_name="contact_entry"
    )
    op.drop_table("contact_entry")
