"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("begun", sa.Float, nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("host", sa.String, nullable=False),
    )
    op.create_table(
        "offers",
        sa.Column("commitment", sa.LargeBinary, primary_key=True),
        sa.Column("bot", sa.LargeBinary, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "games",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("opening", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("ours", sa.Boolean, nullable=False),
        sa.Column("begun", sa.Float, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_table(
        "plies",
        _game(),
        sa.Column("ply", sa.Integer, primary_key=True),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("move", sa.Integer, nullable=False),
        sa.Column("history", sa.LargeBinary, nullable=False),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary),
        sa.Column("proof", sa.LargeBinary),
        sa.Column("payee", sa.String),
        sa.Column("prove_seconds", sa.Float),
        sa.Column("cpu_seconds", sa.Float),
        sa.Column("tx", sa.String),
        sa.Column("gas", sa.BigInteger),
        sa.Column("block", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        _game(),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("wire", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "transactions",
        sa.Column("chain", sa.BigInteger, primary_key=True),
        sa.Column("sender", sa.String, primary_key=True),
        sa.Column("nonce", sa.BigInteger, primary_key=True),
        sa.Column("tx", sa.String, nullable=False),
        sa.Column("raw", sa.Text, nullable=False),
        sa.Column("wish", sa.LargeBinary, nullable=False, index=True),
        sa.Column("block", sa.BigInteger),
        sa.Column("worked", sa.Boolean, nullable=False),
        sa.UniqueConstraint("tx"),
    )
    op.create_index(
        "open_transactions", "transactions", ["nonce"], sqlite_where=sa.text("block IS NULL")
    )
    op.create_table(
        "notes",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def _game() -> sa.Column[bytes]:
    return sa.Column(
        "game",
        sa.LargeBinary,
        sa.ForeignKey("games.id", ondelete="CASCADE"),
        primary_key=True,
    )
