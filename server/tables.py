"""The tables of DATA/arena.db, as the newest migration leaves them.

    runs          when the arena ran: for what it missed
    offers        commitments that are out, with the secrets behind them
    games         signed openings, and where each game stands
    plies         every ply with its stage; those not verified are what the chain does not hold yet
    events        the latest frames of each game, for those who come back
    transactions  all that was signed, until it never matters again
    notes         words about the store itself

Times are unix seconds, ids and hashes bytes; a transaction's hash is 0x hex, as a node writes it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("begun", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("ended", Float),
    Column("host", String, nullable=False),
)

OFFERS = Table(
    "offers",
    METADATA,
    Column("commitment", LargeBinary, primary_key=True),
    Column("bot", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("expires", BigInteger, nullable=False),
)

GAMES = Table(
    "games",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("opening", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("ours", Boolean, nullable=False),
    Column("begun", Float, nullable=False),
    Column("state", Text, nullable=False),
)

PLIES = Table(
    "plies",
    METADATA,
    Column("game", ForeignKey("games.id", ondelete="CASCADE"), primary_key=True),
    Column("ply", Integer, primary_key=True),
    Column("by", String, nullable=False),
    Column("move", Integer, nullable=False),
    Column("history", LargeBinary, nullable=False),
    Column("stage", String, nullable=False),
    Column("at", Text, nullable=False),
    Column("signature", LargeBinary),
    Column("proof", LargeBinary),
    Column("payee", String),
    Column("prove_seconds", Float),
    Column("cpu_seconds", Float),
    Column("tx", String),
    Column("gas", BigInteger),
    Column("block", BigInteger),
    sqlite_with_rowid=False,
)

EVENTS = Table(
    "events",
    METADATA,
    Column("game", ForeignKey("games.id", ondelete="CASCADE"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("wire", Text, nullable=False),
    sqlite_with_rowid=False,
)

TRANSACTIONS = Table(
    "transactions",
    METADATA,
    Column("chain", BigInteger, primary_key=True),
    Column("sender", String, primary_key=True),
    Column("nonce", BigInteger, primary_key=True),
    Column("tx", String, nullable=False),
    Column("raw", Text, nullable=False),
    Column("wish", LargeBinary, nullable=False, index=True),
    Column("block", BigInteger),
    Column("worked", Boolean, nullable=False),
    UniqueConstraint("tx"),
)
Index("open_transactions", TRANSACTIONS.c.nonce, sqlite_where=TRANSACTIONS.c.block.is_(None))

NOTES = Table(
    "notes",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)
