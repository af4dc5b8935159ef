"""The ladder: who is on it, pairs of games, runs that stop and go on, the report."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import chess
import pytest

from engine import ladder_players
from engine.bradley_terry import Pairing
from engine.encoding import Position
from engine.errors import LadderStopped, StockfishStopped
from engine.game import Game
from engine.ladder import Job, Ledger, Options, Results, measure, play_pair, read_pairs, report
from engine.ladder_players import (
    GreedyRung,
    HouseNet,
    MoverSeat,
    RandomRung,
    Rungs,
    Seat,
    StockfishRung,
    rungs,
)
from engine.net import house_net
from engine.player import choose, legal_indices, opened
from engine.train.stockfish import Stockfish, stockfish_name
from server.bench.host import children_of, wait_gone
from tests.command import run
from tests.engine.conftest import engine_script
from tests.engine.nets import random_net

PAWN = HouseNet("pawn")
SIMPLE = Rungs((RandomRung(), GreedyRung()), None)


@dataclass(frozen=True)
class Killed:
    """An entrant whose process is killed when it is to play."""

    name: str = "killed"
    identity: str = "killed"

    @contextmanager
    def open(self) -> Iterator[Seat]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield MoverSeat(lambda _seed: choose_lowest)


def choose_lowest(position: Position, mask: int) -> int:
    return int(legal_indices(mask)[0])


def test_aPair_isTheSameOpeningWithColoursSwapped() -> None:
    begun: list[str] = []

    class Watching:
        def __init__(self, name: str) -> None:
            self.name = name

        def begin(self, seed: str) -> None:
            pass

        def move(self, game: Game) -> int:
            if game.ply in (opened("4/2").ply, opened("4/2").ply + 1):
                begun.append(f"{self.name} {chess.COLOR_NAMES[game.turn]} {game.board.fen()}")
            return choose_lowest(game.position, game.mask)

    results = play_pair(Watching("a"), Watching("b"), seed=4, pair=2)
    first, second, third, fourth = (line.split(" ", 2) for line in begun)
    assert first[2] == third[2] == opened("4/2").board.fen()
    assert {first[0], third[0]} == {"a", "b"}
    assert first[1] == third[1]
    assert second[1] == fourth[1] != first[1]
    assert results[0] == -results[1]  # both play alike, so the colour wins


def test_results_areTheFirstPlayers() -> None:
    low, points = MoverSeat(lambda _seed: choose_lowest), 0
    with PAWN.open() as pawn:
        for pair in range(6):
            first, second = play_pair(pawn, low, seed=1, pair=pair)
            assert play_pair(low, pawn, seed=1, pair=pair) == (-second, -first)
            points += first + second
    assert points > 0


def test_theBetterPlayer_takesThePoints() -> None:
    with GreedyRung().open() as greedy, RandomRung().open() as chance:
        pairs = [play_pair(greedy, chance, seed=1, pair=pair) for pair in range(12)]
        again = [play_pair(greedy, chance, seed=1, pair=pair) for pair in range(12)]
    assert pairs == again
    assert sum(map(sum, pairs)) > 0


def test_aHouseNet_playsAsItIsProven() -> None:
    game = opened("1/1")
    with PAWN.open() as seat:
        seat.begin("any")
        assert seat.move(game) == choose(house_net("pawn"), game.position, game.mask)
    assert PAWN.identity == f"pawn {house_net('pawn').hash}"


def test_aNetWithNoise_repeatsItsGamesBySeed(monkeypatch: pytest.MonkeyPatch) -> None:
    net = random_net(noise=40)
    monkeypatch.setattr(ladder_players, "house_net", lambda _name: net)
    game = opened("1/1")
    with PAWN.open() as seat:
        moves = []
        for seed in ["1/0/0", "1/1/0", "1/0/0", *(f"{n}/0/1" for n in range(20))]:
            seat.begin(seed)
            moves.append([seat.move(game) for _ in range(20)])
    assert moves[0] == moves[2] != moves[1]
    assert len({line[0] for line in moves}) > 3


def test_stockfish_knowsTheMovesBefore(stockfish_path: str) -> None:
    game = opened("1/2")
    with Stockfish(nodes=9, path=stockfish_path) as stockfish:
        move = stockfish.play(game.board)
    captures = [move for move in game.board.legal_moves if game.board.is_capture(move)]
    assert move == min(captures or game.board.legal_moves, key=lambda move: move.uci())


def test_stockfishsOptions_areSet(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    answer = '[ "$line" = isready ] && echo readyok'
    echo = f"while read line; do echo \"$line\" >> '{heard}'; {answer}; done"
    options = (("UCI_LimitStrength", "true"), ("UCI_Elo", "1500"))
    rung = StockfishRung("weak", options, "Fish 1", engine_script(tmp_path, echo))
    with rung.open() as seat:
        seat.begin("any")
    said = heard.read_text()
    assert "setoption name UCI_LimitStrength value true\n" in said
    assert "setoption name UCI_Elo value 1500\n" in said
    assert said.count("ucinewgame") == 2
    assert rung.identity == "Fish 1, UCI_LimitStrength true, UCI_Elo 1500, 500 nodes"


def test_theRungs_areThoseOfTheLadder(stockfish_path: str) -> None:
    found = rungs(stockfish_path)
    names = ["random", "greedy", "stockfish skill 0"]
    names += ["stockfish 1350", "stockfish 1500", "stockfish 1700"]
    assert [entrant.name for entrant in found.entrants] == names
    assert found.anchor == "Fakefish 1, UCI_LimitStrength true, UCI_Elo 1350, 500 nodes"
    assert found.left_out == ()


def test_withoutStockfish_itsRungsAreLeftOutAndNamed() -> None:
    found = rungs("/nowhere/stockfish")
    assert [entrant.name for entrant in found.entrants] == ["random", "greedy"]
    assert found.anchor is None
    assert [name for name, _ in found.left_out][1] == "stockfish 1350"
    assert "no Stockfish at /nowhere" in found.left_out[0][1]


def test_aProgramThatIsNoEngine_isLeftOut(tmp_path: Path) -> None:
    path = engine_script(tmp_path, "exit 3")
    with pytest.raises(StockfishStopped):
        stockfish_name(path)
    assert rungs(path).anchor is None


def test_aRun_isReportedAndKept(stockfish_path: str, tmp_path: Path) -> None:
    found = rungs(stockfish_path)
    few = Rungs(found.entrants[:4], found.anchor)
    file, said = tmp_path / "new" / "games.jsonl", list[str]()
    options = Options(pairs=2, seed=3, workers=2)
    made = measure(PAWN, few, options=options, file=file, say=said.append)
    assert {"bot", "elo", "plus_minus", "games", "opponents"} <= made.keys()
    assert (made["bot"], made["games"], made["rung_games"]) == ("pawn", 16, 12)
    assert [rung["name"] for rung in made["opponents"]] == [rung.name for rung in few.entrants]
    assert made["opponents"][3] | {"elo": 1350, "plus_minus": 0} == made["opponents"][3]
    assert made["elo"] is not None
    assert made["plus_minus"] > 0
    assert said[0] == "28 games, 28 of them to be played"
    assert len(file.read_text().splitlines()) == 14

    again = measure(PAWN, few, options=options, file=file, say=said.append)
    assert (again, said[-1]) == (made, "28 games, 0 of them to be played")


def test_aStoppedRun_goesOnWhereItWas(tmp_path: Path) -> None:
    """Pairs that are there are not played again; one of which half a line is there is."""
    file, said = tmp_path / "games.jsonl", list[str]()
    options = Options(pairs=2)
    whole = measure(PAWN, SIMPLE, options=options, file=file, say=said.append)
    lines = file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["b"] == "random"]
    kept[0] = json.dumps(json.loads(kept[0]) | {"results": [-1, -1]}) + "\n"
    file.write_text("".join(kept) + lines[-1][:20])
    resumed = measure(PAWN, SIMPLE, options=options, file=file, say=said.append)
    assert "12 games, 4 of them to be played" in said
    assert resumed["opponents"][0]["losses"] >= 2
    assert resumed["opponents"][1] == whole["opponents"][1]
    assert len(read_pairs(file)) == 6


def test_otherSeedsAndOtherNets_areOtherGames(tmp_path: Path) -> None:
    file = tmp_path / "games.jsonl"
    measure(PAWN, SIMPLE, options=Options(pairs=1), file=file, say=print)
    said: list[str] = []
    measure(PAWN, SIMPLE, options=Options(pairs=1, seed=2), file=file, say=said.append)
    assert said[0] == "6 games, 6 of them to be played"
    other = replace(RandomRung(), name="pawn", identity="pawn of another hash")
    measure(other, SIMPLE, options=Options(pairs=1), file=file, say=said.append)
    assert "6 games, 4 of them to be played" in said  # the rungs' own serve every bot


def test_withoutAnAnchor_thereIsNoRating() -> None:
    made = report(
        PAWN,
        SIMPLE,
        [Pairing(PAWN.identity, r.identity, 3, 2, 1) for r in (RandomRung(), GreedyRung())],
    )
    assert (made["elo"], made["plus_minus"], made["anchor"]) == (None, None, None)
    assert made["opponents"][0]["points"] == 4


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"a": "x", "b": "y", "seed": 1, "pair": 0, "results": [2, 0]}',
        '{"a": "x", "b": "y", "seed": 1, "pair": 0, "results": [1]}',
        '{"a": "x", "b": "y", "seed": [], "pair": 0, "results": [1, 0]}',
        '{"a": "x", "b": "y", "seed": 1, "pair": 0, "results": [[], 0]}',
    ],
)
def test_aLineThatIsNoPair_isPassedOver(line: str, tmp_path: Path) -> None:
    file = tmp_path / "games.jsonl"
    file.write_text(line + "\n")
    assert read_pairs(file) == {}


def test_theFirstOfTwoLinesAboutTheSameGames_counts(tmp_path: Path) -> None:
    job = Job(RandomRung(), GreedyRung(), seed=1, pair=0)
    for results in ((1, 0), (0, 0)):
        with Ledger(tmp_path / "games.jsonl") as ledger:
            ledger.add(job, results)
    wanted: dict[Any, Results] = {("random", "greedy", 1, 0): (1, 0)}
    assert read_pairs(tmp_path / "games.jsonl") == wanted


def test_aWorkerThatIsKilled_isOneClearError(tmp_path: Path) -> None:
    with pytest.raises(LadderStopped, match="finished before are kept"):
        measure(
            Killed(),
            SIMPLE,
            options=Options(pairs=1),
            file=tmp_path / "games",
            say=print,
        )


def test_anEngineThatStops_isOneClearError(tmp_path: Path) -> None:
    rung = StockfishRung("gone", (), "Fish 1", engine_script(tmp_path, "exit 3"))
    with pytest.raises(StockfishStopped):
        measure(
            PAWN,
            Rungs((rung,), rung.identity),
            options=Options(pairs=1),
            file=tmp_path / "games",
            say=print,
        )


def test_theCommand_printsOneObject(stockfish_path: str, tmp_path: Path) -> None:
    command = ("bench", "elo", "--bot", "pawn", "--games", "2", "--data", tmp_path, "--json")
    ran = run(*command, "--stockfish", stockfish_path)
    assert ran.code == 0, ran.err
    assert (ran.json["bot"], ran.json["games"], ran.json["left_out"]) == ("pawn", 12, [])
    assert "22 games, 22 of them to be played" in ran.err
    ran = run(*command, "--stockfish", "/nowhere/stockfish")
    assert (ran.code, ran.json["elo"], len(ran.json["left_out"])) == (0, None, 4)
    assert "without stockfish 1350: no Stockfish at /nowhere" in ran.err
    assert "6 games, 0 of them to be played" in ran.err


def test_workers_endWithTheCommand(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server", "bench", "elo", "--games", "200", "--workers", "2"]
    command += ["--stockfish", "/nowhere/stockfish", "--data", str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        assert any("of 600 games played" in line for line in running.stderr)
        workers = children_of(running.pid)
        running.kill()
    assert len(workers) >= 2
    assert not asyncio.run(wait_gone(workers, seconds=60))
    assert read_pairs(tmp_path / "ladder" / "games.jsonl")


def test_theCommand_refusesWhatItCannotMeasure(tmp_path: Path) -> None:
    ran = run("bench", "elo", "--games", "3", "--data", tmp_path)
    assert ran.code == 2
    assert "3 games are no whole number of pairs" in " ".join(ran.err.split())
    ran = run("bench", "elo", "--bot", "nobody", "--data", tmp_path)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


def test_openings_areDrawnFromTheirSeedAlone() -> None:
    assert opened("1/5").board.fen() == opened("1/5").board.fen() != opened("1/6").board.fen()
