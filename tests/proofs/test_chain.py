"""The chain client against a real node and the real contracts."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from engine.encoding import START
from proofs.abi import load_artifact, same_code
from proofs.chain import Chain, ChainLike
from proofs.deploy import ensure_contracts, read_deployment, verify_contracts
from proofs.errors import ChainDown, ChainRejected, WellKnownKey, WrongChain
from proofs.node import Anvil
from proofs.records import Addresses
from proofs.sender import LOCAL_KEY, check_key
from proofs.signing import address_of
from proofs.statement import game_seed
from tests.proofs.chain_scene import PLAYER, SECRET, Scene, opening, scene

Spoil = Callable[[str, Any], Any]
"""Makes the answer that arrives out of a method and the node's answer."""

OWN_KEY = "0x" + "5a" * 32


@pytest_asyncio.fixture
async def arena(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as built:
        yield built


async def test_openGame_isThereAsSigned(arena: Scene) -> None:
    message = opening(arena.yes)
    live = await arena.open(message)
    game = await arena.chain.game(live.id)
    assert (game.board, game.context, game.ply) == (START.board, START.context, 0)
    assert (game.white, game.black) == (message.white, message.black)
    assert (game.white_clock, game.increment_seconds, game.delay_seconds) == (300, 2, 1)
    assert game.history == live.id
    assert game.seed == game_seed(SECRET, message.seed)
    (found,) = await arena.chain.all_games()
    assert (found.game, found.open, found.secret) == (live.id, message, SECRET)


async def test_game_followsTheMoves(arena: Scene) -> None:
    live = await arena.open()
    await live.play("e4 e5 Nf3 Nc6")
    game = await arena.chain.game(live.id)
    position = live.game.position
    assert (game.board, game.context, game.ply) == (position.board, position.context, 4)
    assert game.history == live.history
    assert await arena.chain.legal_mask(live.id) == live.game.mask


async def test_logs_arePlainAndInOrder(arena: Scene) -> None:
    live, other = await arena.open(), await arena.open()
    await live.play("e4 e5")
    await other.play("d4")
    logs = await arena.chain.logs(live.id)
    assert [log.name for log in logs] == ["GameOpened", "PlayerMoved", "BotMoved"]
    move = logs[2]
    assert move.args["proof"] == "0x" + b"any".hex()
    assert move.args["history"] == "0x" + live.history.hex()
    assert move.args["payee"] == arena.chain.address
    assert move.args["ply"] == 1
    assert logs[0].args["open"]["baseSeconds"] == 300
    assert move.block > logs[1].block
    assert await arena.chain.gas_used(move.tx) is not None
    newest = await arena.chain.events(move.block)
    assert [log.args["game"] for log in newest] == ["0x" + live.id.hex(), "0x" + other.id.hex()]


async def test_receipt_tellsWhatHappened(arena: Scene) -> None:
    live = await arena.open()
    receipt = await live.player("e4")
    assert receipt.gas > 21_000
    assert [log.name for log in receipt.logs] == ["PlayerMoved"]
    assert receipt.timestamp == receipt.logs[0].time
    assert abs(receipt.timestamp - time.time()) < 60
    assert await arena.chain.gas_used(receipt.tx) == receipt.gas


async def test_endings_areEvents(arena: Scene) -> None:
    live = await arena.open()
    receipt = await arena.chain.resign(live.id, live.resignation())
    assert receipt.logs[-1].name == "GameEnded"
    assert receipt.logs[-1].args["reason"] == 8
    late = await arena.open()
    await arena.sleep(302)
    assert (await arena.chain.claim_timeout(late.id)).logs[0].name == "TimeoutClaimed"
    await arena.sleep(62)
    assert (await arena.chain.claim_timeout(late.id)).logs[0].args["reason"] == 9
    drawn = await arena.open()
    await drawn.play("Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1 Ng8")
    receipt = await arena.chain.claim_draw(drawn.id, drawn.game.ply, drawn.draw_claim())
    assert receipt.logs[-1].args["reason"] == 7


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("StalePly", {"expected": 0, "got": 1}),
        ("IllegalMove", {"index": 0}),
        ("NotBotsTurn", {"ply": 0}),
        ("BadSignature", {}),
        ("TimeLeft", {}),
        ("NothingToClaim", {"repetitions": 0, "halfmoves": 0}),
    ],
)
async def test_refusals_haveNames(arena: Scene, name: str, values: dict[str, Any]) -> None:
    live, chain = await arena.open(), arena.chain
    e4 = live.index("e4")
    attempts = {
        "StalePly": lambda: chain.move(live.id, 1, e4, live.signed(e4)),
        "IllegalMove": lambda: chain.move(live.id, 0, 0, live.signed(0)),
        "NotBotsTurn": lambda: chain.submit_bot_move(live.id, 0, e4, 1, b""),
        "BadSignature": lambda: chain.move(live.id, 0, e4, live.signed(e4 + 1)),
        "TimeLeft": lambda: chain.claim_timeout(live.id),
        "NothingToClaim": lambda: chain.claim_draw(live.id, 0, live.draw_claim()),
    }
    before = await chain.block_number()
    with pytest.raises(ChainRejected) as caught:
        await attempts[name]()
    assert caught.value.name == name
    assert values.items() <= caught.value.values.items()
    if name == "BadSignature":
        assert caught.value.values["expected"] == address_of(PLAYER)
    assert await chain.block_number() == before, "nothing was sent"


async def test_registry_refusesABadKeyByName(arena: Scene) -> None:
    with pytest.raises(ChainRejected, match="KeyLength"):
        await arena.chain.register_house(b"1" * 32, b"2" * 32, b"short", "")
    with pytest.raises(ChainRejected) as caught:
        await arena.chain.register_house(b"1" * 32, b"2" * 32, bytes(1152), "")
    assert caught.value.name == "KeyPointZero"


async def test_game_failsIfUnknown(arena: Scene) -> None:
    with pytest.raises(ChainRejected, match="GameUnknown"):
        await arena.chain.game(b"\x01" * 32)


async def test_manyGamesAtOnce_keepTheNoncesInOrder(arena: Scene) -> None:
    games = await asyncio.gather(*(arena.open() for _ in range(8)))
    await asyncio.gather(*(live.player("e4") for live in games))
    plies = await asyncio.gather(*(arena.chain.game(live.id) for live in games))
    assert [game.ply for game in plies] == [1] * 8


async def test_onSent_namesTheTransactionFirst(arena: Scene) -> None:
    live, sent = await arena.open(), list[str]()
    e4 = live.index("e4")
    receipt = await arena.chain.move(live.id, 0, e4, live.signed(e4), on_sent=sent.append)
    assert sent == [receipt.tx]


async def test_sending_doesNotHoldTheLoop(arena: Scene) -> None:
    live = await arena.open()
    worst, running = 0.0, True

    async def watch() -> None:
        nonlocal worst
        while running:
            begun = time.thread_time()
            await asyncio.sleep(0)
            worst = max(worst, time.thread_time() - begun)

    gc.disable()  # in a process of many tests, to look for garbage alone may take longer
    try:
        watcher = asyncio.create_task(watch())
        await live.play("e4 e5 Nf3 Nc6 Bb5 a6")
        running = False
        await watcher
    finally:
        gc.enable()
    assert worst < 0.05  # seconds of our own processor time in one turn of the loop


async def test_connect_failsIfNobodyAnswers() -> None:
    with pytest.raises(ChainDown, match="no usable answer"):
        await Chain.connect("http://127.0.0.1:1")


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "[]",
        '{"jsonrpc": "2.0", "id": 1, "result": "what"}',
        '{"jsonrpc": "2.0", "id": 1, "result": "-0x1"}',
        '{"jsonrpc": "2.0", "id": 1, "result": "0x1' + "0" * 64 + '"}',
    ],
)
async def test_connect_failsIfItIsNoChain(body: str) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=body)

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        with pytest.raises(ChainDown):
            await Chain.connect(f"http://{host}:{port}")
    finally:
        await runner.cleanup()


@asynccontextmanager
async def between(url: str, spoil: Spoil) -> AsyncIterator[str]:
    """A go-between that may spoil an answer: None drops the connection."""

    async def passed_on(request: web.Request) -> web.Response:
        question = await request.json()
        async with aiohttp.ClientSession() as session, session.post(url, json=question) as inner:
            answer = spoil(question["method"], await inner.json())
        if answer is None and request.transport is not None:
            request.transport.abort()
        return web.json_response(answer)

    app = web.Application()
    app.router.add_post("/", passed_on)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def test_lostAnswers_landNothingTwice(arena: Scene) -> None:
    """The node takes each transaction, and its answer gets lost the first time."""
    live, lost, sent = await arena.open(), set[str](), list[str]()
    before = await arena.chain.block_number()

    def lose_once(method: str, answer: Any) -> Any:
        if method in lost or method == "eth_chainId":
            return answer
        lost.add(method)
        return None if method in ("eth_sendRawTransaction", "eth_getTransactionReceipt") else answer

    async with between(arena.node.url, lose_once) as url:
        chain = await Chain.connect(url, LOCAL_KEY, arena.chain.addresses)
        e4 = live.index("e4")
        receipt = await chain.move(live.id, 0, e4, live.signed(e4), on_sent=sent.append)
        await chain.close()
    assert {"eth_sendRawTransaction", "eth_getTransactionReceipt"} <= lost
    assert sent == [receipt.tx]
    assert (await arena.chain.game(live.id)).ply == 1
    assert await arena.chain.block_number() == before + 1


@pytest.mark.parametrize("result", [None, [], {}, "0x", "0x12", 7, [{}], {"status": 5}])
async def test_nonsense_isChainDown(arena: Scene, result: Any) -> None:
    live = await arena.open()

    def answer_nonsense(method: str, answer: Any) -> Any:
        nonsense = {"jsonrpc": "2.0", "id": answer["id"], "result": result}
        return answer if method == "eth_chainId" else nonsense

    async with between(arena.node.url, answer_nonsense) as url:
        chain = await Chain.connect(url, LOCAL_KEY, arena.chain.addresses)
        questions = (
            chain.game(live.id),
            chain.logs(live.id),
            chain.bots(),
            chain.resign(live.id, live.resignation()),
        )
        for question in questions:
            with pytest.raises((ChainDown, WrongChain)):
                await question
        await chain.close()


async def test_nodeGone_isChainDownAndComesBack(tmp_path: Path) -> None:
    node = Anvil(tmp_path / "chain")
    await node.start()
    chain = await Chain.connect(node.url, LOCAL_KEY)
    port = int(node.url.rsplit(":", 1)[1])
    chain = chain.at(await ensure_contracts(chain, tmp_path))
    await node.stop()
    with pytest.raises(ChainDown):
        await chain.block_number()
    async with Anvil(tmp_path / "chain", port=port):
        assert await chain.all_games() == []
    await chain.close()


async def test_ensureContracts_deploysOnceAndAgainOnAnEmptyChain(tmp_path: Path) -> None:
    async with Anvil(tmp_path / "chain") as node:
        chain = await Chain.connect(node.url, LOCAL_KEY)
        first = await ensure_contracts(chain, tmp_path)
        assert await ensure_contracts(chain, tmp_path) == first == read_deployment(tmp_path)
        assert same_code(load_artifact("Arena"), await chain.code(first.arena))
        await chain.rpc.ask("anvil_setCode", first.arena, "0x6001")
        with pytest.raises(WrongChain, match="other code"):
            await ensure_contracts(chain, tmp_path)
        await chain.close()
    async with Anvil(tmp_path / "empty") as node:
        chain = await Chain.connect(node.url, LOCAL_KEY)
        again = await ensure_contracts(chain, tmp_path)
        await verify_contracts(chain.at(again))
        await chain.close()


async def test_ensureContracts_failsIfTheFolderIsOfAnotherChain(
    arena: Scene, tmp_path: Path
) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(path.read_text().replace("31337", "1"))
    with pytest.raises(WrongChain, match="is for chain 1"):
        await ensure_contracts(arena.chain, tmp_path)
    path.write_text("{")
    with pytest.raises(WrongChain, match="unreadable"):
        await ensure_contracts(arena.chain, tmp_path)


async def test_verifyContracts_failsIfTheRegistryIsAnother(arena: Scene) -> None:
    ours = arena.chain.addresses
    stranger = await arena.chain.deploy(load_artifact("BotRegistry"))
    assert stranger.contract is not None
    other = Addresses(ours.chain_id, ours.arena, stranger.contract.lower())
    with pytest.raises(WrongChain, match="asks the registry"):
        await verify_contracts(arena.chain.at(other))


async def test_connect_failsOnAnotherChain(arena: Scene) -> None:
    elsewhere = Addresses(1, arena.chain.addresses.arena, arena.chain.addresses.registry)
    with pytest.raises(WrongChain, match="is chain 31337, not 1"):
        await Chain.connect(arena.node.url, LOCAL_KEY, elsewhere)


def test_wellKnownKeys_areForTheLocalChainOnly() -> None:
    check_key(LOCAL_KEY, 31337)
    check_key(OWN_KEY, 1)
    with pytest.raises(WellKnownKey, match="refused on chain 1"):
        check_key(LOCAL_KEY, 1)


def test_chain_isChainLike() -> None:
    def takes(_chain: ChainLike) -> None: ...

    def proves(chain: Chain) -> None:
        takes(chain)

    assert callable(proves)
