"""Games played by clicking in Chromium, with real proofs, against a real chain.

CHECKPROOF_SCREENSHOT=1 pytest tests/e2e/test_browser_game.py     renews docs/screenshot.png
"""

import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import chess
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from engine.encoding import Position, decode
from engine.policy_map import move_index
from proofs.chain import Chain
from proofs.deploy import read_deployment
from proofs.node import running_node
from proofs.records import OnChainGame
from tests.proofs.keys_fixture import dev_store
from tests.server.processes import server_process
from tests.web.browser import Color, Hand, chromium

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
PLIES = 12
PROOF_SECONDS = 120
WORTH = {chess.PAWN: 1, chess.KNIGHT: 3, chess.BISHOP: 3, chess.ROOK: 5, chess.QUEEN: 9}
PLANS: dict[Color, tuple[str, ...]] = {
    "white": ("e2e4", "g1f3", "f1c4", "e1g1", "e4d5", "d2d3", "b1c3", "c1e3", "h2h3"),
    "black": ("e7e5", "g8f6", "f8c5", "e8g8", "e5d4", "d7d6", "b8c6", "c8e6", "h7h6"),
}


@dataclass(frozen=True)
class RealArena:
    url: str
    data: Path

    async def stored(self, game: str) -> OnChainGame:
        """What the contract holds of a game, asked of the chain itself."""
        rpc = running_node(self.data / "chain")
        assert rpc is not None
        chain = await Chain.connect(rpc, addresses=read_deployment(self.data))
        try:
            return await chain.game(bytes.fromhex(game[2:]))
        finally:
            await chain.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def arena(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealArena]:
    store, record = dev_store()
    data = tmp_path_factory.mktemp("data")
    shutil.copytree(store.root / record.key_hash, data / "keys" / record.key_hash)
    async with server_process(data) as server:
        await server.ready()
        yield RealArena(server.url, data)
        assert await server.stop(signal.SIGINT) == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
def screenshot(tmp_path: Path) -> Path:
    """Where the picture of the README goes; elsewhere, unless it is asked for."""
    if os.environ.get("CHECKPROOF_SCREENSHOT") == "1":
        return ROOT / "docs" / "screenshot.png"
    return tmp_path / "screenshot.png"


def _goes_on(board: chess.Board, move: chess.Move) -> bool:
    """Whether neither the move nor any answer to it ends the game."""
    after = board.copy(stack=False)
    after.push(move)
    if after.is_game_over():
        return False
    for answer in after.legal_moves:
        after.push(answer)
        over = after.is_game_over()
        after.pop()
        if over:
            return False
    return True


def _choices(board: chess.Board, plan: tuple[str, ...]) -> Iterator[chess.Move]:
    """The plan as far as it can be played, then whatever is legal."""
    yield from filter(board.is_legal, map(chess.Move.from_uci, plan))
    yield from board.legal_moves


def _won_by(board: chess.Board, move: chess.Move, depth: int = 4) -> int:
    """What a move takes, less the best that the other side can take after it."""
    taken = board.piece_type_at(move.to_square)
    after = board.copy(stack=False)
    after.push(move)
    answers = after.generate_legal_captures() if depth else ()
    lost = max((_won_by(after, answer, depth - 1) for answer in answers), default=0)
    return (WORTH[taken] if taken else 0) - max(0, lost)


def choose(board: chess.Board, color: Color) -> chess.Move:
    """A sensible move that lets the game go on: the first of the best."""
    moves = [move for move in _choices(board, PLANS[color]) if _goes_on(board, move)]
    return max(moves, key=lambda move: _won_by(board, move))


async def play(hand: Hand, color: Color) -> chess.Board:
    """Play by clicking until the bot has answered the last of PLIES plies."""
    board = await hand.my_turn(color, within=PROOF_SECONDS)
    while board.ply() < PLIES:
        await hand.play(choose(board, color))
        board = await hand.my_turn(color, within=PROOF_SECONDS)
    return board


async def expect_verified(hand: Hand, plies: int) -> None:
    """Every move is on the chain, and each bot move shows what its check cost."""
    for ply in range(plies):
        await expect(hand.move(ply)).to_have_attribute(
            "data-stage", "verified", timeout=PROOF_SECONDS * 1000
        )
    for mark in await hand.page.locator(".mark[data-stage=verified]").all():
        await expect(mark).to_have_accessible_name(re.compile(r"verified, [0-9.]+ s · [0-9,]+ gas"))


async def replay(hand: Hand) -> list[int]:
    """The policy indices of the moves that the page lists."""
    board, indices = chess.Board(), []
    for element in await hand.moves.all():
        move = board.parse_san(await element.inner_text())
        indices.append(move_index(board, move))
        board.push(move)
    return indices


def drawn(board: chess.Board) -> dict[str, str]:
    return {
        chess.square_name(square): ("w" if piece.color else "b") + piece.symbol().lower()
        for square, piece in board.piece_map().items()
    }


async def test_a_game_with_white_is_verified_move_by_move_and_watched(
    arena: RealArena, browser: Browser, screenshot: Path
) -> None:
    hand, watcher = await Hand.of(browser), await Hand.of(browser, width=390, scheme="dark")
    game = await hand.start(arena.url, "pawn", "white")
    await watcher.page.goto(f"{arena.url}/watch/{game}")
    board = await play(hand, "white")
    await expect(hand.page.locator(".mark")).to_have_count(PLIES // 2)
    await expect_verified(hand, 6)  # the moves after it are still at all stages of their way
    await hand.page.screenshot(path=screenshot)
    await expect_verified(hand, board.ply())
    await expect_verified(watcher, board.ply())

    on_chain = await arena.stored(game)
    assert on_chain.ply == board.ply() == await hand.moves.count() >= 10
    decoded = decode(Position(on_chain.board, on_chain.context), board.turn)
    assert decoded.board_fen() == board.board_fen()
    assert decoded.castling_rights == board.castling_rights
    assert await hand.drawn_pieces() == drawn(decoded)
    assert await watcher.drawn_pieces() == drawn(decoded)
    assert await replay(watcher) == await replay(hand)
    await expect(watcher.page.get_by_test_id("role")).to_have_text("watching")
    await expect(watcher.board).to_have_attribute("data-input", "none")
    await expect(hand.page.get_by_test_id("trust")).to_contain_text("Development setup")
    assert (hand.faults, watcher.faults) == ([], [])
    await hand.close()
    await watcher.close()


async def test_a_game_with_black_is_verified_resigned_and_listed(
    arena: RealArena, browser: Browser
) -> None:
    hand = await Hand.of(browser)
    game = await hand.start(arena.url, "pawn", "black")
    board = await play(hand, "black")
    await expect_verified(hand, board.ply())
    on_chain = await arena.stored(game)
    assert on_chain.ply == board.ply() >= 10
    decoded = decode(Position(on_chain.board, on_chain.context), board.turn)
    assert await hand.drawn_pieces() == drawn(decoded)

    await hand.page.get_by_test_id("resign").click()
    await hand.page.get_by_test_id("confirm-yes").click()
    await expect(hand.page.get_by_test_id("status")).to_have_text("You lose · 1-0", timeout=30_000)
    assert (await arena.stored(game)).result == 1

    await hand.page.goto(arena.url)
    card = hand.page.locator("[data-testid=bot-card][data-bot=pawn]")
    await expect(card).not_to_contain_text("not measured yet")
    row = hand.page.locator(f"[data-testid=game][data-game='{game}']")
    await expect(row).to_contain_text(f"1-0, resignation · {board.ply()} of {board.ply()} plies")
    assert hand.faults == []
    await hand.close()
