"""Where a command finds the chain: as told, else a running server's, else the data folder's own."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from proofs.chain import Chain
from proofs.deploy import read_deployment
from proofs.errors import ChainDown, WrongChain
from proofs.node import Anvil, running_node
from proofs.node_state import STATE, saved_state
from proofs.records import Addresses

Where = tuple[Path, str | None, str | None]
"""The data folder, an RPC address and the Arena's address, if they were given."""


@asynccontextmanager
async def open_chain(where: Where, say: Callable[[str], None]) -> AsyncIterator[Chain]:
    """The chain to read, without a key.  Raises WrongChain where there is none, ChainDown.

    A data folder whose node is not running is served by a node on a copy of its state, so that
    looking changes nothing.
    """
    data, rpc, arena = where
    if rpc is None and (running := running_node(data / "chain")) is not None:
        try:
            chain = await Chain.connect(running)
        except ChainDown:
            say("the server's chain does not answer; reading its saved state")
        else:
            async with _closing(chain):
                yield await located(chain, data, arena)
                return
    if rpc is not None:
        async with _closing(await Chain.connect(rpc)) as chain:
            yield await located(chain, data, arena)
            return
    if (saved := saved_state(data / "chain")) is None:
        raise WrongChain(f"{data.resolve()} holds no chain; name one by --rpc or --data")
    say(f"reading the chain saved in {data / 'chain'}")
    with tempfile.TemporaryDirectory(prefix="checkproof-") as folder:
        (Path(folder) / STATE).write_bytes(saved.raw)
        async with Anvil(Path(folder)) as node, _closing(await Chain.connect(node.url)) as chain:
            yield await located(chain, data, arena)


@asynccontextmanager
async def _closing(chain: Chain) -> AsyncIterator[Chain]:
    try:
        yield chain
    finally:
        await chain.close()


async def located(chain: Chain, data: Path, arena: str | None) -> Chain:
    """The chain with its contracts: as told, else as the data folder remembers."""
    if arena is not None:
        bare = chain.at(Addresses(chain.chain_id, arena.lower(), ""))
        return chain.at(Addresses(chain.chain_id, arena.lower(), await bare.registry_of_arena()))
    known = read_deployment(data)
    if known is None:
        raise WrongChain(f"{data} remembers no contracts; name them by --arena")
    if known.chain_id != chain.chain_id:
        raise WrongChain(
            f"{data} remembers contracts on chain {known.chain_id}, "
            f"not {chain.chain_id}; name them by --arena"
        )
    return chain.at(known)
