"""The contracts and bots of one data folder, put on a chain once.

    DATA/deployment.json   {"format", "chainId", "arena", "registry", "block", "codeHashes"}

Code hashes are keccak-256 of the deployed code, in 0x hex.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from eth_utils.crypto import keccak

from proofs.abi import load_artifact, same_code
from proofs.chain import Chain
from proofs.errors import ChainRejected, WrongChain, shown_url
from proofs.records import Addresses, BotVersion

FORMAT: Final = "checkproof-deployment/1"


class Net(Protocol):
    """What is registered of a net."""

    @property
    def hash(self) -> str: ...


class Key(Protocol):
    """What is registered of a key."""

    @property
    def circuit_hash(self) -> str: ...
    @property
    def key_hash(self) -> str: ...
    @property
    def vk(self) -> bytes: ...


def deployment_file(data_dir: Path) -> Path:
    return data_dir / "deployment.json"


def read_deployment(data_dir: Path) -> Addresses | None:
    """The addresses that a data folder knows, None if it has none.  Raises WrongChain."""
    path = deployment_file(data_dir)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise ValueError(f"format {raw['format']!r}")
        return Addresses(
            int(raw["chainId"]), str(raw["arena"]), str(raw["registry"]), int(raw["block"])
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongChain(f"{path} is unreadable: {error}") from error


async def ensure_contracts(
    chain: Chain, data_dir: Path, *, progress: Callable[[str], None] | None = None
) -> Addresses:
    """The contracts of this data folder, deployed now if the chain has no code at their addresses.

    Raises WrongChain where the folder belongs to another chain or the code there is not ours,
    ChainDown and ChainRejected.
    """
    tell = progress or (lambda _line: None)
    known = read_deployment(data_dir)
    if known is not None:
        if known.chain_id != chain.chain_id:
            raise WrongChain(
                f"{deployment_file(data_dir)} is for chain {known.chain_id}, "
                f"and {shown_url(chain.rpc.url)} is chain {chain.chain_id}"
            )
        if await chain.code(known.arena):
            try:
                await verify_contracts(chain.at(known))
            except WrongChain as error:
                path = deployment_file(data_dir)
                raise WrongChain(
                    f"{error}; use another data folder, or remove {path} to deploy anew"
                ) from None
            return known
    tell("deploying the contracts")
    addresses = await _deploy(chain)
    tell(f"the arena is at {addresses.arena}")
    await _write(chain, addresses, deployment_file(data_dir))
    return addresses


async def verify_contracts(chain: Chain) -> None:
    """Compare the code at the chain's addresses with the committed artifacts.  Raises WrongChain.

    What the constructor filled in is compared where it matters: the Arena's registry.
    """
    addresses = chain.addresses
    for name, address in (("Arena", addresses.arena), ("BotRegistry", addresses.registry)):
        code = await chain.code(address)
        if not same_code(load_artifact(name), code):
            what = "other code than this version's" if code else "no code"
            raise WrongChain(f"{name} at {address} on chain {chain.chain_id}: {what}")
    registry = await chain.registry_of_arena()
    if registry != addresses.registry:
        raise WrongChain(f"the arena asks the registry {registry}, not {addresses.registry}")


async def ensure_bot(chain: Chain, net: Net, key: Key, metadata: str) -> BotVersion:
    """The version of this net, key and metadata that we registered, now if need be.

    Raises ChainDown, ChainRejected.
    """
    found = await _our_bot(chain, net, key, metadata)
    if found is not None:
        return found
    hashes = (bytes.fromhex(net.hash), bytes.fromhex(key.circuit_hash))
    try:
        return await chain.register_house(*hashes, key.vk, metadata)
    except ChainRejected as error:
        found = await _our_bot(chain, net, key, metadata)
        if error.name != "BotExists" or found is None:
            raise
        return found


async def _our_bot(chain: Chain, net: Net, key: Key, metadata: str) -> BotVersion | None:
    wanted = (net.hash, key.circuit_hash, key.key_hash, metadata, chain.address, False)
    for bot in await chain.bots():
        hashes = (bot.net_hash.hex(), bot.circuit_hash.hex(), bot.key_hash.hex())
        if (*hashes, bot.metadata, bot.owner, bot.custom) == wanted:
            return bot
    return None


async def _deploy(chain: Chain) -> Addresses:
    registry = await chain.deploy(load_artifact("BotRegistry"))
    assert registry.contract is not None
    arena = await chain.deploy(load_artifact("Arena"), registry.contract)
    assert arena.contract is not None
    return Addresses(
        chain.chain_id, arena.contract.lower(), registry.contract.lower(), registry.block
    )


async def _write(chain: Chain, addresses: Addresses, path: Path) -> None:
    hashes = {
        name: "0x" + keccak(await chain.code(address)).hex()
        for name, address in (("arena", addresses.arena), ("registry", addresses.registry))
    }
    record: dict[str, Any] = {
        "format": FORMAT,
        "chainId": addresses.chain_id,
        "arena": addresses.arena,
        "registry": addresses.registry,
        "block": addresses.block,
        "codeHashes": hashes,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
