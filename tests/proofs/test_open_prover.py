"""Bringing a bot's moves to anybody's game: the chain is real, the bot's verifier says yes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.encoding import Position
from engine.player import legal_indices
from engine.start import Start
from proofs.chain import Chain
from proofs.errors import BotFilesMissing, ChainDown, NoSuchGame
from proofs.makers import makers_of
from proofs.open_prover import prove_game, standing_of
from proofs.records import Receipt
from proofs.statement import Statement
from tests.proofs.chain_scene import Live, Scene, opening, scene


class First:
    """Plays the first legal move, and remembers what it proved."""

    def __init__(self) -> None:
        self.proved: list[Statement] = []

    def choose(self, position: Position, mask: int, dice: int) -> int:  # noqa: ARG002
        return int(legal_indices(mask)[0])

    def prove(self, statement: Statement) -> bytes:
        self.proved.append(statement)
        return b"any"


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


async def prove(chain: Chain, live: Live, maker: First, *, watch: bool = False) -> int:
    said: list[str] = []
    return await prove_game(
        chain, live.id, lambda _bot: maker, watch=watch, tell=said.append, poll_seconds=0.01
    )


async def test_what_is_owed_is_brought_with_the_contracts_own_statement(ground: Scene) -> None:
    live, maker = await ground.open(), First()
    assert await prove(ground.chain, live, maker) == 0
    await live.player("e4")
    before = (await standing_of(ground.chain, live.id)).history
    assert before == live.history
    assert await prove(ground.chain, live, maker) == 1
    assert (await ground.chain.game(live.id)).ply == 2
    (statement,) = maker.proved
    assert statement.payee == ground.chain.payee
    assert await prove(ground.chain, live, maker) == 0


async def test_a_game_from_another_start_is_followed(ground: Scene) -> None:
    start = Start.from_fen("4k3/8/8/8/8/8/4P3/4K3 b - - 0 1")
    live = await ground.open(opening(ground.yes, player_is_white=True, start=start))
    assert await prove(ground.chain, live, First()) == 1
    assert (await ground.chain.game(live.id)).ply == 2


async def test_an_ended_game_owes_nothing(ground: Scene) -> None:
    live = await ground.open()
    await live.player("e4")
    await ground.chain.resign(live.id, live.resignation())
    assert await prove(ground.chain, live, First(), watch=True) == 0


async def test_who_comes_second_goes_on(ground: Scene) -> None:
    """Between this prover's look and its transaction, somebody else brings the move."""
    live, maker = await ground.open(), First()
    await live.player("e4")

    class Overtaken(Chain):
        async def submit_bot_move(self, *arguments: object, **more: object) -> Receipt:
            await live.bot("e5")
            await live.player("d4")
            return await ground.chain.submit_bot_move(*arguments, **more)  # type: ignore[arg-type]

    chain = Overtaken(
        ground.chain.rpc, ground.chain.chain_id, ground.chain._sender, ground.chain.addresses
    )
    told: list[str] = []
    with pytest.raises(_Enough):
        await prove_game(chain, live.id, _once(maker), watch=False, tell=told.append)
    assert "ply 1: somebody else was faster" in told
    assert (await ground.chain.game(live.id)).ply == 3


class _Enough(Exception):
    pass


def _once(maker: First):  # type: ignore[no-untyped-def]
    class Once(First):
        def prove(self, statement: Statement) -> bytes:
            if maker.proved:
                raise _Enough
            return maker.prove(statement)

    return lambda _bot: Once()


async def test_a_game_that_is_not_there_is_named(ground: Scene) -> None:
    with pytest.raises(NoSuchGame):
        await prove_game(
            ground.chain, bytes(32), lambda _bot: First(), watch=True, tell=lambda _line: None
        )


async def test_a_watcher_outlives_a_chain_that_is_away(ground: Scene) -> None:
    live, told = await ground.open(), list[str]()

    class Away(Chain):
        async def logs(self, game: bytes) -> list[object]:  # type: ignore[override]  # noqa: ARG002
            if told:
                raise _Enough
            raise ChainDown("http://127.0.0.1:1", "away")

    chain = Away(ground.chain.rpc, ground.chain.chain_id, None, ground.chain.addresses)
    with pytest.raises(ChainDown):
        await prove_game(chain, live.id, lambda _bot: First(), watch=False, tell=told.append)
    assert told == []
    with pytest.raises(_Enough):
        await prove_game(
            chain, live.id, lambda _bot: First(), watch=True, tell=told.append, poll_seconds=0.01
        )
    assert "away" in told[0]


async def test_a_bot_without_files_is_named(ground: Scene, tmp_path: Path) -> None:
    bots = {bot.id: bot for bot in await ground.chain.bots()}
    maker_of = makers_of(tmp_path, bots, server=None, tell=lambda _line: None)
    with pytest.raises(BotFilesMissing, match="its net is not here"):
        maker_of(ground.yes)
    with pytest.raises(BotFilesMissing, match="no such bot is registered"):
        maker_of(bytes(32))
