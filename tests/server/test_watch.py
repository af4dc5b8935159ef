"""What `checkproof watch` shows, and that it does not lose sight of a game."""

import asyncio
import io
import json
import os
import sys
from typing import Any

import pytest
from rich.console import Console

from proofs.signing import Resign
from server import messages as m
from server.cli_watch import QUIET_SECONDS, Choice, Frames, Lines, follow
from server.errors import NoSuchGame, Unreachable
from server.view import View
from server.watch_text import clock_left, line_of, screen, stage_of
from server.web_app import close_sockets
from tests.server.conftest import Served
from tests.server.fakes import DOMAIN
from tests.server.play import Table
from tests.server.test_restart import until
from tests.server.test_session import E4
from tests.server.test_view import chain, proof, shown


def resignation(served: Served, game: str) -> bytes:
    return Resign(bytes.fromhex(game[2:])).sign(DOMAIN, served.player.key)


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (proof("queued"), None),
        (
            proof("queued", queue_position=2, wait_seconds=3.6),
            "1... Na6      queued, place 2, about 4 s",
        ),
        (proof("proving", wait_seconds=0.2), "1... Na6      proving, about 1 s"),
        (proof("proved", prove_seconds=1.25), "1... Na6      proved in 1.2 s"),
        (chain(1, "submitted"), None),
        (chain(1, "submitted", tx="0x01"), "1... Na6      submitted, 0x01"),
        (chain(0, "submitted", reason="timed out"), "1. e4         submitted: timed out"),
        (chain(1, "verified", tx="0x01", gas=391814), "1... Na6      verified, 391,814 gas, 0x01"),
        (chain(-1, "rejected", reason="GameExists"), "opening       rejected: GameExists"),
        (m.WaitingEvent(d=m.WaitingData(reason="the chain", at=1)), "waits: the chain"),
        (m.WaitingEvent(d=m.WaitingData(reason=None, at=1)), "goes on"),
        (
            m.CorrectionEvent(
                d=m.CorrectionData(ply=1, cause="reorg", message="lost\x1b[2J", at=1)
            ),
            "CORRECTED from 1... Na6 on: lost�[2J",
        ),
        (
            m.EndEvent(d=m.EndData(result="1-0", reason="resignation", tx=None)),
            "ended: 1-0, resignation",
        ),
        (m.SpectatorsEvent(d=m.SpectatorsData(count=3)), None),
    ],
)
def test_an_event_as_a_line(event: m.GameEvent, line: str | None) -> None:
    view = shown(event)
    assert line_of(event, view) == line


def drawn(view: View, *, is_coloured: bool = False, **more: Any) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    options: dict[str, Any] = {"now": 0.0, "notes": [], **more}
    with console.capture() as captured:
        console.print(screen(view, is_coloured=is_coloured, **options))
    return captured.get()


def test_the_board_and_all_that_is_to_be_known() -> None:
    view = shown(
        proof("queued", queue_position=1, wait_seconds=2.0),
        chain(-1, "verified"),
        m.WaitingEvent(d=m.WaitingData(reason="the provers warm up", at=1)),
        m.CorrectionEvent(d=m.CorrectionData(ply=1, cause="reorg", message="block 7 went", at=1)),
        m.SpectatorsEvent(d=m.SpectatorsData(count=2)),
    )
    text = drawn(view, notes=["coming back"])
    assert "8 ♜ · ♝ ♛ ♚ ♝ ♞ ♜" in text
    assert "6 ♞<· · · · · · ·" in text
    assert "4 · · · · ♙ · · ·" in text
    for words in (
        "bot first",
        "1... Na6",
        "queued, place 1, about 2 s",
        "white to move",
        "waits: the provers warm up",
        "corrected from 1... Na6 on: block 7 went",
        "coming back",
        "2 look on",
    ):
        assert words in text
    assert "♟ " in drawn(view, is_coloured=True)


def test_a_long_game_shows_its_end_and_an_absence() -> None:
    table = Table()
    told = table.session.snapshot()
    table.move(E4)
    record = table.session.snapshot().moves[0]
    view = View()
    moves = [record.model_copy(update={"ply": n, "san": f"N{n}"}) for n in range(30)]
    away = [m.Away(since=10.0, until=52.0)]
    view.apply(m.FullEvent(d=told.model_copy(update={"moves": moves, "away": away}), v=1))
    text = drawn(view)
    assert "20 earlier" in text
    assert "N29" in text
    assert "N19" not in text
    assert "the arena was away for 42 s; the clocks ran on" in text
    assert "the opening is on its way" in text


def test_a_strangers_name_cannot_write_on_the_terminal() -> None:
    side = m.BotSide(version="0x" + "11" * 32, name="\x1b]0;owned\x07[red]pawn")
    view = View()
    view.apply(m.FullEvent(d=Table().session.snapshot().model_copy(update={"black": side}), v=1))
    text = drawn(view)
    assert "\x1b]0" not in text
    assert "\x07" not in text


def test_the_running_clock_goes_down_after_the_delay() -> None:
    clocks = m.Clocks(white=100, black=90, running="white", at=1000)
    view = shown(chain(-1, "verified"), m.ClockEvent(d=clocks))
    assert clock_left(view, "white", 1010) == 90
    assert clock_left(view, "black", 1010) == 90
    assert clock_left(view, "white", 5000) == 0
    assert view.snapshot is not None
    slow = view.snapshot.clock.model_copy(update={"delay_seconds": 5})
    view.snapshot = view.snapshot.model_copy(update={"clock": slow})
    assert clock_left(view, "white", 1010) == 95
    view.apply(m.EndEvent(d=m.EndData(result="1-0", reason="timeout", tx=None), v=10))
    assert clock_left(view, "white", 1010) == 100


def test_a_rejected_move_says_why() -> None:
    view = shown(chain(1, "rejected", reason="ProofRejected"))
    assert stage_of(view.moves[1]) == "rejected, ProofRejected"


# --- choosing -----------------------------------------------------------------------------------


def listed(*games: tuple[str, str, int]) -> list[dict[str, Any]]:
    return [{"game": name, "status": status, "plies": plies} for name, status, plies in games]


def test_tv_takes_the_newest_game_with_moves() -> None:
    choice = Choice()
    assert choice.best(None, 0) is None
    choice.look(listed(("new", "playing", 0), ("b", "playing", 4), ("a", "playing", 9)), 0)
    assert choice.best(None, 0) == "b"
    choice = Choice()
    choice.look(listed(("over", "ended", 30), ("new", "playing", 0)), 0)
    assert choice.best(None, 0) == "new"


def test_tv_stays_until_the_game_is_dull_or_over() -> None:
    choice = Choice()
    choice.look(listed(("b", "playing", 4), ("a", "playing", 9)), 0)
    choice.look(listed(("c", "playing", 2), ("b", "playing", 4), ("a", "playing", 9)), 10)
    assert choice.best("a", 10) == "a"
    assert choice.best("a", QUIET_SECONDS + 5) == "c"
    assert choice.best("a", QUIET_SECONDS + 50) == "a"  # nothing else is better
    choice.leave("a")
    choice.look(listed(("c", "ended", 2), ("b", "playing", 5), ("a", "playing", 10)), 20)
    assert choice.best(None, 20) == "b"


# --- following ----------------------------------------------------------------------------------


async def test_lines_come_until_the_end_over_a_lost_connection(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    game = await served.open()
    room = served.arena.game(bytes.fromhex(game[2:])).room
    following = asyncio.create_task(follow(served.url, game, Lines()))
    async with await served.client(game) as player:
        await until(lambda: len(room._subscribers) == 2)  # it follows from the beginning
        await served.move(player, E4)
        await player.wait_stage(1, "verified")
        arena, served.site.arena = served.site.arena, None
        await close_sockets(served.site)
        await player.wait_until(lambda: not player.is_connected)
        served.site.arena = arena
        await player.resign(resignation(served, game))
    async with asyncio.timeout(60):
        await following
    out, err = capsys.readouterr()
    assert out.startswith(f"game {game}: {served.player.address[:8]}")
    assert "1. e4         verified, 50,000 gas, 0x" in out
    assert out.rstrip().endswith("ended: 0-1, resignation")
    assert out.count("1... ") == out.count("1... Na6")
    assert "the connection ended (the arena is closing); coming back" in err


async def test_frames_are_what_the_socket_says(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    game = await served.open()
    async with await served.client(game) as player:
        await player.resign(resignation(served, game))
        await player.wait_end()
    await follow(served.url, game, Frames())  # over already: shown once
    (line,) = capsys.readouterr().out.splitlines()
    frame = m.parse_server_frame(line)
    assert isinstance(frame, m.FullEvent)
    assert frame.d.game == game


async def test_an_unknown_game_ends_it(served: Served) -> None:
    with pytest.raises(NoSuchGame):
        await follow(served.url, "0x" + "77" * 32, Lines())
    with pytest.raises(Unreachable):
        await follow("http://127.0.0.1:1", "0x" + "77" * 32, Lines())


# --- the command --------------------------------------------------------------------------------


async def checkproof(*words: str) -> tuple[int, str, str]:
    """Run the command in a process of its own, beside the arena in this one."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1"},
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_watch_and_games_as_commands(served: Served) -> None:
    game = await served.open()
    async with await served.client(game) as player:
        await served.move(player, E4)
        await player.wait_stage(1, "verified")
        code, out, _ = await checkproof("games", "--url", served.url)
        assert code == 0
        assert game[:12] in out
        assert "2 " in out
        assert "playing" in out
        await player.resign(resignation(served, game))
        await player.wait_end()
    code, out, _ = await checkproof("watch", game[:10], "--url", served.url)
    assert code == 0
    assert "0-1 resignation" in out
    code, out, _ = await checkproof("watch", game[2:12], "--json", "--url", served.url)
    assert (code, json.loads(out)["t"]) == (0, "full")
    code, out, _ = await checkproof("games", "--json", "--url", served.url)
    assert json.loads(out)[0]["game"] == game


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("watch", "zz"), 2, "'zz' is no game's id"),
        (("watch", "tv", "--url", "arena.example"), 2, "is no address"),
        (("watch", "tv", "--url", "http://127.0.0.1:1"), 1, "cannot be reached"),
        (("games", "--url", "http://127.0.0.1:1"), 1, "cannot be reached"),
        (("games", "--url", "http://127.0.0.1:1", "--data", "x"), 2, "ask a chain"),
        (("games", "--data", "/nonexistent"), 1, "holds no chain"),
    ],
)
async def test_what_cannot_be_is_one_line(words: tuple[str, ...], status: int, said: str) -> None:
    code, out, err = await checkproof(*words)
    assert (code, out) == (status, "")
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err


async def test_a_prefix_that_fits_nothing(served: Served) -> None:
    code, _, err = await checkproof("watch", "0x12345", "--url", served.url)
    assert (code, err.count("\n")) == (1, 1)
    assert "it fits 0 games" in err
