"""What a server says about itself under /api/config."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from server.messages import ClockTerms


class _Info(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True)


class BotInfo(_Info):
    """A registered bot version; all hashes, ids and addresses are 0x hex."""

    name: str
    version: str
    net_hash: str
    circuit_hash: str
    key_hash: str
    setup: Literal["development", "ceremony"]
    custom: bool
    constraints: int | None
    prove_seconds: float | None
    verifier: str


class ArenaInfo(_Info):
    name: str = "checkproof"
    version: str
    chain_id: int
    arena: str
    registry: str
    rpc_url: str | None
    clocks: ClockTerms
    grace_seconds: int
    payee: str
    bots: list[BotInfo]
