"""Reading from a chain all that an audit of some games needs, as of one block.

What the node shows is taken as it comes: whether it holds together is for the audit to say, from
the bundle alone.  Two nodes are compared by their blocks' hashes, their codes and their games.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from proofs.abi import immutables, load_artifact, same_code
from proofs.bundle import Bundle
from proofs.chain import Chain
from proofs.errors import ChainDown, NoSuchGame
from proofs.evidence import (
    BlockEvidence,
    CodeEvidence,
    ReceiptEvidence,
    header_of,
    receipt_of,
)
from proofs.records import LogEvent, bot_of, opening_of
from proofs.rpc import RpcFault, sensible
from proofs.trie import BadProof, index_key, look_up, make_trie

VERIFIERS: Final = ("Groth16MoveVerifier", "EzklMoveVerifier")
"""Verifiers that name further contracts which they rest on."""

_AT_ONCE: Final = 8
_TRIES: Final = 3

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _Found:
    """The logs that matter, oldest first, and the addresses of the verifiers."""

    games: tuple[bytes, ...]
    logs: tuple[LogEvent, ...]
    verifiers: tuple[str, ...]


async def gather(chain: Chain, games: Iterable[bytes]) -> Bundle:
    """The bundle of these games, without nets.  Raises NoSuchGame, ChainDown."""
    wanted = tuple(games)
    for _ in range(_TRIES):
        head = await chain.block()
        if head is None:
            break
        bundle = await _gathered(chain, wanted, head.number)
        again = await chain.block(head.number)
        if again is not None and again.hash == head.hash:
            return bundle
    raise ChainDown(chain.rpc.url, "its blocks change while they are read")


async def opened_between(chain: Chain, first: int, last: int | None) -> list[bytes]:
    """The games that were opened in these blocks, oldest first.  Raises ChainDown."""
    openings = await chain.all_games()
    return [o.game for o in openings if first <= o.block and (last is None or o.block <= last)]


async def disagreements(chain: Chain, bundle: Bundle) -> list[tuple[int | None, str]]:
    """What another node says otherwise: the block it is about, if any, and what.

    Codes and games are compared where the blocks are the same and the node still knows them.
    Raises ChainDown.
    """
    found: list[tuple[int | None, str]] = []
    if chain.chain_id != bundle.chain_id:
        return [(None, f"it is on chain {chain.chain_id}, not {bundle.chain_id}")]
    for number, evidence in sorted(bundle.blocks.items()):
        block = await chain.block(number)
        there = block.hash if block is not None else "not there"
        if there != "0x" + evidence.hash.hex():
            found.append((number, f"block {number} is {there}, not 0x{evidence.hash.hex()}"))
    if found:
        return found
    with suppress(RpcFault):  # it keeps the blocks of then, but no longer what they came to
        for address, code in bundle.contracts.items():
            answer = await chain.rpc.ask("eth_getCode", address, hex(bundle.head))
            if _bytes(str(answer)) != code.code:
                found.append((None, f"the code at {address} is another"))
        for game, state in bundle.states.items():
            if await _state(chain, bytes.fromhex(game[2:]), bundle.head) != state:
                found.append((None, f"the arena stores {game} otherwise"))
    return found


async def _gathered(chain: Chain, wanted: Sequence[bytes], head: int) -> Bundle:
    found = await _find(chain, wanted, head)
    transactions = {log.tx: log.block for log in found.logs}
    blocks = sorted({*transactions.values(), head})
    shown = await _each(_block(chain, number, transactions) for number in blocks)
    codes = await _codes(chain, found.verifiers, head)
    try:
        states = await _each(_state(chain, game, head) for game in found.games)
    except RpcFault as fault:
        raise ChainDown(chain.rpc.url, f"eth_call: {fault.message}") from fault
    where = chain.addresses
    return Bundle(
        chain_id=chain.chain_id,
        arena=where.arena,
        registry=where.registry,
        head=head,
        blocks={block.number: block for block, _ in shown},
        receipts=tuple(receipt for _, receipts in shown for receipt in receipts),
        contracts=codes,
        states={"0x" + g.hex(): s for g, s in zip(found.games, states, strict=True)},
    )


async def _find(chain: Chain, wanted: Sequence[bytes], head: int) -> _Found:
    logs: list[LogEvent] = []
    for own in await _each(map(chain.logs, wanted)):
        logs += [log for log in own if log.block <= head]
    openings = {o.game: o for o in map(opening_of, _named(logs, "GameOpened"))}
    for game in wanted:
        if game not in openings:
            raise NoSuchGame("0x" + game.hex())
    sides = {side for o in openings.values() for side in (o.open.white, o.open.black)}
    bots = {bot_of(log).id: log for log in await chain.bot_logs() if log.block <= head}
    theirs = [bots[side] for side in sides if side in bots]
    verifiers = tuple(sorted({bot_of(log).verifier for log in theirs}))
    return _Found(tuple(wanted), (*theirs, *logs), verifiers)


async def _block(
    chain: Chain, number: int, transactions: Mapping[str, int]
) -> tuple[BlockEvidence, list[ReceiptEvidence]]:
    """A block and those of its receipts that matter, with the nodes that lead to them."""
    raw = await chain.rpc.sure("eth_getBlockByNumber", hex(number), False)
    if not raw:
        raise ChainDown(chain.rpc.url, f"block {number} is gone")
    with sensible(chain.rpc.url):
        block = BlockEvidence(number, _bytes(raw["hash"]), header_of(raw))
    own = [tx for tx, at in transactions.items() if at == number]
    if not own:
        return block, []
    receipts, whole = await _receipts(chain, number, own)
    with sensible(chain.rpc.url):
        encoded = [receipt_of(receipt) for receipt in receipts]
        root, nodes = make_trie([e for e in encoded if e is not None]) if whole else (b"", {})
        whole = whole and None not in encoded
        return block, [
            _receipt(receipt, data, (root, list(nodes.values())) if whole else None)
            for receipt, data in zip(receipts, encoded, strict=True)
            if receipt["transactionHash"] in own
        ]


async def _receipts(chain: Chain, number: int, own: list[str]) -> tuple[list[dict[str, Any]], bool]:
    """A block's receipts in order, and whether they are all of them; else just `own`."""
    try:
        answer = await chain.rpc.ask("eth_getBlockReceipts", hex(number))
    except RpcFault:
        answer = None
    if isinstance(answer, list):
        return answer, True
    some = await _each(chain.rpc.sure("eth_getTransactionReceipt", tx) for tx in own)
    if None in some:
        raise ChainDown(chain.rpc.url, f"a receipt of block {number} is gone")
    return some, False


def _receipt(
    raw: dict[str, Any], data: bytes | None, trie: tuple[bytes, list[bytes]] | None
) -> ReceiptEvidence:
    place = int(raw["transactionIndex"], 16)
    nodes: tuple[bytes, ...] = ()
    if trie is not None:
        try:
            nodes = tuple(look_up(trie[0], index_key(place), trie[1])[1])
        except BadProof as error:
            raise ValueError(str(error)) from None
    return ReceiptEvidence(
        int(raw["blockNumber"], 16),
        place,
        raw["transactionHash"],
        int(raw["gasUsed"], 16),
        int(raw["logs"][0]["logIndex"], 16) if raw["logs"] else 0,
        data if data is not None else receipt_of({**raw, "type": "0x0"}) or b"",
        nodes,
    )


async def _codes(chain: Chain, verifiers: Sequence[str], head: int) -> dict[str, CodeEvidence]:
    """The codes of the contracts, and of those that they rest on."""
    where = chain.addresses
    found: dict[str, CodeEvidence] = {}
    waiting = [where.arena, where.registry, *verifiers]
    while waiting:
        address = waiting.pop()
        if address not in found:
            found[address] = await _code(chain, address, head)
            waiting += rests_on(found[address].code) if address in verifiers else []
    return found


def rests_on(code: bytes) -> list[str]:
    """The addresses that a known verifier's code was made with."""
    for name in VERIFIERS:
        artifact = load_artifact(name)
        if same_code(artifact, code):
            values = {int.from_bytes(value, "big") for value in immutables(artifact, code)}
            return [f"0x{value:040x}" for value in values if 1 << 64 < value < 1 << 160]
    return []


async def _code(chain: Chain, address: str, head: int) -> CodeEvidence:
    with sensible(chain.rpc.url):
        code = _bytes(await chain.rpc.sure("eth_getCode", address, hex(head)))
    try:
        proof = await chain.rpc.ask("eth_getProof", address, [], hex(head))
    except RpcFault:
        return CodeEvidence(code, ())
    with sensible(chain.rpc.url):
        return CodeEvidence(code, tuple(map(_bytes, proof["accountProof"])))


async def _state(chain: Chain, game: bytes, head: int) -> bytes:
    data = "0x" + load_artifact("Arena").call("game", game).hex()
    call = {"to": chain.addresses.arena, "data": data}
    answer = await chain.rpc.ask("eth_call", call, hex(head))
    with sensible(chain.rpc.url):
        return _bytes(answer)


async def _each(jobs: Iterable[Awaitable[Answer]]) -> list[Answer]:
    """All answers in order, a few asked for at once."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(job: Awaitable[Answer]) -> Answer:
        async with gate:
            return await job

    return await asyncio.gather(*map(one, jobs))


def _named(logs: Iterable[LogEvent], name: str) -> list[LogEvent]:
    return [log for log in logs if log.name == name]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
