"""What a server says about itself under /api/config."""

import re
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from server.messages import ClockTerms


class _Info(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True)


class BotInfo(_Info):
    """A bot version as it is registered; all hashes, ids and addresses are 0x hex.

    One that is not `ready` is still being made or loaded, as `step` tells: its hashes and ids may
    be empty.  `trust` says what has to be believed of it.  `prove_seconds` and `gas` are medians of
    its latest moves, None before the first; then `expect_seconds` is how long a proof will take by
    the number of constraints.
    """

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
    proof_system: Literal["groth16", "ezkl"] = "groth16"
    trust: str = ""
    gas: int | None = None
    ready: bool = True
    step: str = ""
    expect_seconds: float | None = None


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


_OWN_NODE: Final = re.compile(r"http://(127(\.[0-9]{1,3}){3}|localhost)(:[0-9]+)?/?")


def offered_endpoint(rpc: str) -> str | None:
    """The chain endpoint that pages may ask, None for one that is the operator's own.

    A node on this machine answers the arena's page, and is told only to pages on this machine
    (server/site.py); any other address may hold a secret, such as a provider's key, and who checks
    a proof there names an endpoint of his own.
    """
    return rpc if _OWN_NODE.fullmatch(rpc) else None
