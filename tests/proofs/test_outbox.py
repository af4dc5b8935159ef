"""Transactions that are kept: none is lost with the node's blocks, none is made twice."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.game import Game
from proofs.abi import load_artifact
from proofs.chain import Chain
from proofs.deploy import ensure_contracts, verify_contracts
from proofs.errors import ChainDown, ChainRejected
from proofs.node import Anvil
from proofs.outbox import MemoryOutbox, Outbox, SignedTx, wish_of
from proofs.sender import LOCAL_KEY
from proofs.statement import STATEMENT_ID
from tests.proofs.chain_scene import CIRCUIT, KEY, NET, Live, Scene, empty_pool, scene

OWN_KEY = "0x" + "5a" * 32


def signed(nonce: int, wish: bytes = b"wish", *, block: int | None = None) -> SignedTx:
    return SignedTx(f"0x{nonce:064x}", nonce, "0x02", wish, block)


def check_outbox(box: Outbox) -> None:
    """What every outbox has to do."""
    assert (box.next_nonce, box.open(), box.find(b"wish", done=True)) == (0, [], None)
    for nonce in (4, 3, 7):
        box.save(signed(nonce))
    assert box.next_nonce == 8
    assert [s.nonce for s in box.since(4)] == [4, 7]
    assert [s.nonce for s in box.open()] == [3, 4, 7]
    assert box.find(b"wish", done=False) == signed(7)
    for nonce in (4, 7):
        box.landed(signed(nonce).tx, 10 + nonce, worked=nonce == 4)
    assert box.since(0) == [signed(3), signed(4, block=14), signed(7, block=17)]
    assert box.open() == [signed(3)]
    box.forget(signed(3).tx)
    assert box.find(b"wish", done=False) is None
    assert box.find(b"wish", done=True) == signed(4, block=14)  # the contract refused number 7
    assert box.find(b"other", done=True) is None
    box.lost(7)
    assert box.open() == [signed(7)]
    assert box.find(b"wish", done=True) == signed(7)
    box.landed(signed(7).tx, 20, worked=True)
    assert box.find(b"wish", done=True) == signed(7, block=20)
    box.save(SignedTx("0xab", 7, "0x03", b"another"))  # the nonce was free after all
    assert [s.tx for s in box.since(5)] == ["0xab"]


def test_memory_outbox() -> None:
    check_outbox(MemoryOutbox())


def test_a_wish_is_its_call_whatever_the_case_of_the_address() -> None:
    assert wish_of("0xAB", b"1") == wish_of("0xab", b"1") != wish_of("0xab", b"2")
    assert wish_of(None, b"1") != wish_of("0xab", b"1")
    assert wish_of("0xab", b"1", 7) not in {wish_of("0xab", b"1"), wish_of("0xab", b"1", 8)}


class Kept:
    """Outboxes that survive the chains that use them."""

    def __init__(self) -> None:
        self.box = MemoryOutbox()

    def of(self, _chain_id: int, _address: str) -> Outbox:
        return self.box

    async def connect(self, node: Anvil, chain: Chain | None = None) -> Chain:
        addresses = None if chain is None else chain.addresses
        return await Chain.connect(node.url, LOCAL_KEY, addresses, outbox_of=self.of)

    @property
    def hashes(self) -> list[str]:
        return [kept.tx for kept in self.box.since(0)]


async def kill(node: Anvil) -> int:
    """End the node at once, before it writes its state; returns its port."""
    assert node.pid is not None
    os.kill(node.pid, signal.SIGKILL)
    await node.stop()
    return urlsplit(node.url).port or 0


def forget(folder: Path) -> None:
    """Lose all that a node wrote, if it lived long enough to write."""
    for state in folder.glob("state*.json"):
        state.unlink()


async def test_a_node_that_lost_even_the_contracts_gets_all_again(tmp_path: Path) -> None:
    kept, folder = Kept(), tmp_path / "chain"
    node = Anvil(folder)
    await node.start()
    chain = await kept.connect(node)
    chain = chain.at(await ensure_contracts(chain, tmp_path))
    live = await Scene(node, chain, await yes_bot(chain)).open()
    await live.play("e4 e5")
    before = kept.hashes
    port = await kill(node)
    forget(folder)
    async with Anvil(folder, port=port):
        assert await chain.code(chain.addresses.arena) == b""
        await live.play("Nf3")
        await verify_contracts(chain)
        assert kept.hashes[:-1] == before
        assert (await chain.game(live.id)).ply == 3
        assert [await chain.gas_used(tx) is not None for tx in kept.hashes] == [True] * len(
            kept.hashes
        )
        assert await chain.recover() == 0
        await chain.close()


async def roll_back(chain: Chain, blocks: int) -> None:
    """What were still in the pool after its block is gone would count as being under way."""
    await empty_pool(chain)
    await chain.rpc.ask("anvil_rollback", blocks)


async def yes_bot(chain: Chain) -> bytes:
    verifier = await chain.deploy(load_artifact("YesVerifier"))
    assert verifier.contract is not None
    hashes = (NET, CIRCUIT, KEY)
    return (await chain.register_custom(*hashes, STATEMENT_ID, verifier.contract, "yes")).id


async def test_recover_bringsBackWhatAReorgDropped(tmp_path: Path) -> None:
    kept = Kept()
    async with scene(tmp_path) as built:
        chain = await other_key(built, kept)
        live = await scene_open(built, chain)
        await live.play("e4 e5 Nf3")
        before = await chain.logs(live.id)
        await roll_back(chain, 3)
        assert (await chain.game(live.id)).ply == 0
        assert await chain.recover() == 3
        assert [log.tx for log in await chain.logs(live.id)] == [log.tx for log in before]
        await live.play("Nc6")
        assert (await chain.game(live.id)).ply == 4
        await chain.close()


async def other_key(built: Scene, kept: Kept) -> Chain:
    """A chain client with a key of its own."""
    found = await Chain.connect(built.node.url, OWN_KEY, built.chain.addresses, outbox_of=kept.of)
    await found.rpc.ask("anvil_setBalance", found.address, hex(10**20))
    return found


async def scene_open(built: Scene, chain: Chain) -> Live:
    return await Scene(built.node, chain, built.yes).open()


async def test_what_was_signed_and_not_sent_is_sent_at_recovery(tmp_path: Path) -> None:
    """The process ends between keeping and sending."""
    kept = Kept()
    async with scene(tmp_path) as built:
        chain = await other_key(built, kept)
        live = await scene_open(built, chain)
        e4 = live.index("e4")
        sig = live.signed(e4)
        await cut_at(chain, "eth_sendRawTransaction", lambda: chain.move(live.id, 0, e4, sig))
        (waiting,) = kept.box.open()
        again = await Chain.connect(
            built.node.url, OWN_KEY, built.chain.addresses, outbox_of=kept.of
        )
        assert (await again.game(live.id)).ply == 0
        await again.recover()
        receipt = await again.move(live.id, 0, e4, sig)  # the wish is known: no other is made
        assert receipt.tx == waiting.tx
        assert len(kept.hashes) == 2
        assert (await again.game(live.id)).ply == 1
        await again.close()


async def cut_at(chain: Chain, method: str, work: Callable[[], Any]) -> None:
    """Let `work` run until it asks the node for `method`, and no further."""
    reached, ask = asyncio.Event(), chain.rpc.ask

    async def asking(asked: str, *params: Any) -> Any:
        if asked == method:
            reached.set()
            await asyncio.Event().wait()
        return await ask(asked, *params)

    chain.rpc.ask = asking  # type: ignore[method-assign, assignment]
    task = asyncio.ensure_future(work())
    await asyncio.wait_for(reached.wait(), 60)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await chain.close()


async def mined(chain: Chain, tx: str) -> None:
    """A node says yes to a transaction a moment before it puts it into a block."""
    async with asyncio.timeout(60):
        while await chain.rpc.ask("eth_getTransactionReceipt", tx) is None:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.05)


async def test_what_landed_unseen_is_found_and_not_sent_again(tmp_path: Path) -> None:
    """The process ends between landing and noting it."""
    kept = Kept()
    async with scene(tmp_path) as built:
        chain = await other_key(built, kept)
        live = await scene_open(built, chain)
        e4 = live.index("e4")
        sig = live.signed(e4)
        await cut_at(chain, "eth_getTransactionReceipt", lambda: chain.move(live.id, 0, e4, sig))
        again = await Chain.connect(
            built.node.url, OWN_KEY, built.chain.addresses, outbox_of=kept.of
        )
        assert len(kept.box.open()) == 1
        await mined(again, kept.hashes[-1])
        await again.recover()
        assert kept.box.open() == []
        assert (await again.move(live.id, 0, e4, sig)).tx == kept.hashes[-1]
        assert len(kept.hashes) == 2
        await again.close()


async def test_a_spent_nonce_is_forgotten(tmp_path: Path) -> None:
    kept, elsewhere = Kept(), Kept()
    async with scene(tmp_path) as built:
        chain = await other_key(built, kept)
        live = await scene_open(built, chain)
        sig = live.signed(live.index("e4"))
        move = live.index("e4")
        await cut_at(chain, "eth_sendRawTransaction", lambda: chain.move(live.id, 0, move, sig))
        other = await other_key(built, elsewhere)  # the same key, used without our outbox
        other_live = await scene_open(built, other)
        again = await Chain.connect(
            built.node.url, OWN_KEY, built.chain.addresses, outbox_of=kept.of
        )
        assert len(kept.box.open()) == 1
        await again.recover()
        assert len(kept.hashes) == 1
        assert (await again.move(live.id, 0, move, sig)).tx not in elsewhere.hashes
        assert (await again.game(other_live.id)).ply == 0
        await again.close()
        await other.close()


async def test_the_same_move_by_two_senders_lands_once(tmp_path: Path) -> None:
    kept, other = Kept(), Kept()
    async with scene(tmp_path) as built:
        chain, live = await other_key(built, kept), await built.open()
        theirs = await Chain.connect(built.node.url, LOCAL_KEY, chain.addresses, outbox_of=other.of)
        e4, rpc = live.index("e4"), chain.rpc
        await empty_pool(chain)  # so that it is these two that are counted in it
        # with mining off both get past the estimate before either lands
        await rpc.ask("evm_setAutomine", False)
        both = [
            asyncio.ensure_future(c.move(live.id, 0, e4, live.signed(e4))) for c in (chain, theirs)
        ]
        async with asyncio.timeout(60):
            while int((await rpc.ask("txpool_status"))["pending"], 16) < 2:  # noqa: ASYNC110 no event
                await asyncio.sleep(0.01)
        await rpc.ask("evm_mine")
        results = await asyncio.gather(*both, return_exceptions=True)
        await rpc.ask("evm_setAutomine", True)
        (refused,) = (r for r in results if isinstance(r, BaseException))
        assert isinstance(refused, ChainRejected)
        assert refused.name == "StalePly"
        loser = kept if isinstance(results[0], BaseException) else other
        (transaction,) = loser.box.since(0)
        assert loser.box.open() == []
        assert loser.box.find(transaction.wish, done=True) is None  # it may be tried again
        await chain.close()
        await theirs.close()


async def test_the_same_call_twice_at_once_is_one_transaction(tmp_path: Path) -> None:
    kept = Kept()
    async with scene(tmp_path) as built:
        chain = await other_key(built, kept)
        live = await scene_open(built, chain)
        e4 = live.index("e4")
        moves = [chain.move(live.id, 0, e4, live.signed(e4)) for _ in range(3)]
        receipts = await asyncio.gather(*moves)
        assert len({receipt.tx for receipt in receipts}) == 1
        assert len(kept.hashes) == 2
        await chain.close()


async def test_a_chain_that_is_down_keeps_the_transaction(tmp_path: Path) -> None:
    kept = Kept()
    async with scene(tmp_path) as built:
        chain = await other_key(built, kept)
        live = await scene_open(built, chain)
        ask = chain.rpc.ask

        async def fails(method: str, *params: Any) -> Any:
            if method == "eth_sendRawTransaction":
                raise ChainDown(chain.rpc.url, "cut")
            return await ask(method, *params)

        chain.rpc.ask = fails  # type: ignore[method-assign]
        e4 = live.index("e4")
        task = asyncio.ensure_future(chain.move(live.id, 0, e4, live.signed(e4)))
        async with asyncio.timeout(60):
            while not kept.box.open():  # noqa: ASYNC110 no event
                await asyncio.sleep(0.01)
        (waiting,) = kept.box.open()
        chain.rpc.ask = ask  # type: ignore[method-assign]
        assert (await task).tx == waiting.tx
        await chain.close()


async def test_one_that_pays_too_little_now_is_replaced_at_its_nonce(tmp_path: Path) -> None:
    kept = Kept()
    async with scene(tmp_path) as built:
        chain = await other_key(built, kept)
        live = await scene_open(built, chain)
        e4 = live.index("e4")
        sig = live.signed(e4)
        await cut_at(chain, "eth_sendRawTransaction", lambda: chain.move(live.id, 0, e4, sig))
        (poor,) = kept.box.open()
        await built.chain.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(10**12))
        await built.chain.rpc.ask("evm_mine")
        again = await Chain.connect(
            built.node.url, OWN_KEY, built.chain.addresses, outbox_of=kept.of
        )
        receipt = await again.move(live.id, 0, e4, sig)
        assert receipt.tx != poor.tx
        assert kept.hashes[1:] == [receipt.tx]
        assert (await again.game(live.id)).ply == 1
        await again.close()


async def test_what_comes_after_one_that_nobody_has_is_signed_anew(tmp_path: Path) -> None:
    kept = Kept()
    async with scene(tmp_path) as built:
        chain = await other_key(built, kept)
        live = await scene_open(built, chain)
        await live.play("e4 e5")
        lost, beyond = kept.box.since(1)
        await roll_back(chain, 2)
        kept.box.forget(lost.tx)  # as in a store that was made anew
        assert await chain.recover() == 0
        assert beyond.tx not in kept.hashes
        await Live(chain, live.id, live.id, Game()).play("e4 e5")
        assert (await chain.game(live.id)).ply == 2
        await chain.close()


async def test_an_estimate_made_on_a_chain_that_had_lost_its_blocks_is_made_again(
    tmp_path: Path,
) -> None:
    """Two games at once on a node without contracts, where any call costs next to nothing."""
    kept, folder = Kept(), tmp_path / "chain"
    node = Anvil(folder)
    await node.start()
    chain = await kept.connect(node)
    chain = chain.at(await ensure_contracts(chain, tmp_path))
    yes = await yes_bot(chain)
    games = [await Scene(node, chain, yes).open() for _ in range(3)]
    port = await kill(node)
    forget(folder)
    async with Anvil(folder, port=port):
        await asyncio.gather(*(game.player("e4") for game in games))
        assert [(await chain.game(game.id)).ply for game in games] == [1] * 3
        await chain.close()
