"""Who read what is confidential, what was unusual about it, and how much somebody uploads in a day."""

import sqlalchemy as sa
from alembic import op

from models.migrations.security import as_role, house_table, revoke_change

revision = "0010_access"
down_revision = "0009_offers"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
KIND = sa.Enum(
    "document", "mail", "bank_data", "staff_list", "export", "sign_in", "refused",
    name="accesskind", native_enum=False, create_constraint=True, length=32,
)  # fmt: skip
UNUSUAL = sa.Enum(
    "many_reads", "many_refusals", "new_device", "locked_out",
    name="unusual", native_enum=False, create_constraint=True, length=32,
)  # fmt: skip

FORGET = """
-- with the owner's rights: no working role may delete entries, and whatever a session says of the day, thirty days stay
CREATE FUNCTION drehkreuz_forget_access(days integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    ended timestamptz := least(drehkreuz_now(), now()) - make_interval(days => greatest(days, 30));
    gone bigint;
BEGIN
    DELETE FROM access_notice WHERE settled_at < ended;
    DELETE FROM upload_day WHERE day < ended::date;
    DELETE FROM access_entry WHERE at < ended;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$
"""


def _entries() -> None:
    op.create_table(
        "access_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("login_id", sa.BigInteger()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_entry"),
        sa.ForeignKeyConstraint(["login_id"], ["login.id"], name="fk_access_entry__login_id", ondelete="SET NULL"),
    )
    op.create_index("ix_access_entry__person", "access_entry", ["login_id", "at"])
    op.create_index("ix_access_entry__at", "access_entry", ["at"])
    house_table("access_entry")
    revoke_change("access_entry")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    _entries()
    op.create_table(
        "access_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", UNUSUAL, nullable=False),
        sa.Column("login_id", sa.BigInteger()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.Column("settled_by", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_notice"),
        sa.UniqueConstraint("key", name="uq_access_notice__key"),
        sa.CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="ck_access_notice__settled_says_by_whom"),
        sa.ForeignKeyConstraint(["login_id"], ["login.id"], name="fk_access_notice__login_id", ondelete="SET NULL"),
    )
    op.create_index("ix_access_notice__open", "access_notice", ["told_at"], postgresql_where=sa.text("settled_at IS NULL"))
    house_table("access_notice")
    as_role("REVOKE DELETE ON access_notice FROM {staff}")
    op.create_table(
        "upload_day",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("login_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upload_day"),
        sa.UniqueConstraint("login_id", "day", name="uq_upload_day__login_id_day"),
        sa.CheckConstraint("files >= 0 AND size >= 0", name="ck_upload_day__not_negative"),
        sa.ForeignKeyConstraint(["login_id"], ["login.id"], name="fk_upload_day__login_id", ondelete="CASCADE"),
    )
    house_table("upload_day")
    op.execute(FORGET)
    as_role("REVOKE ALL ON FUNCTION drehkreuz_forget_access(integer) FROM PUBLIC")
    as_role("GRANT EXECUTE ON FUNCTION drehkreuz_forget_access(integer) TO {app}, {staff}")


def downgrade() -> None:
    op.execute("DROP FUNCTION drehkreuz_forget_access(integer)")
    op.drop_table("upload_day")
    op.drop_table("access_notice")
    op.drop_table("access_entry")
