"""The UCI engine: line by line, and as python-chess talks to it."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import chess
import chess.engine
import pytest

from engine.encoding import Position
from engine.export import Heads, to_onnx
from engine.game import Game
from engine.net import house_net
from engine.player import Mover, choose, legal_indices, net_mover
from engine.policy_map import index_move, legal_mask, move_index
from engine.uci import Line, UciEngine
from tests.command import run
from tests.engine.nets import random_net
from tests.proofs.ezkl_fixture import folder_of, tiny_net

AFTER_E4 = "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1"
MATED = "7k/5KQ1/8/8/8/8/8/8 b - - 0 1"


def lowest(position: Position, mask: int) -> int:
    return int(legal_indices(mask)[0])


def said(*lines: str, load: Mover = lowest) -> list[str]:
    return list(UciEngine("pawn", lambda: load).talk(lines))


def best(*lines: str) -> str:
    return said(*lines)[-1].removeprefix("bestmove ")


def first_legal(board: chess.Board) -> str:
    return index_move(board, lowest(Position.of(board), legal_mask(board))).uci()


def test_uci_namesTheBot_beforeTheNetIsLoaded() -> None:
    def load() -> Mover:
        raise AssertionError("loaded")

    answers = list(UciEngine("pawn", load).talk(["uci", "setoption name Hash value 16", "quit"]))
    assert answers == ["id name checkproof pawn", "id author the checkproof authors", "uciok"]


def test_theNet_isLoadedOnce() -> None:
    loaded = []

    def load() -> Mover:
        loaded.append(1)
        return lowest

    talk = UciEngine("pawn", load).talk(["isready", "go", "isready", "go"])
    assert [answer for answer in talk if answer == "readyok"] == ["readyok"] * 2
    assert len(loaded) == 1


def test_quit_endsTheTalk() -> None:
    assert said("quit", "isready") == []


def test_whatIsNotKnown_isPassedOver() -> None:
    assert said("", "  ", "xyzzy", "debug on", "register later", "stop", "isready") == ["readyok"]


def test_go_answersAtThePositionThatWasSet() -> None:
    board = chess.Board(AFTER_E4)
    assert best("position startpos moves e2e4", "go movetime 9") == first_legal(board)
    assert best(f"position fen {AFTER_E4}", "go wtime 1 btime 1") == first_legal(board)
    board.push_uci("e7e5")
    assert best(f"position fen {AFTER_E4} moves e7e5", "go depth 3") == first_legal(board)


@pytest.mark.parametrize(
    "wrong",
    [
        "position",
        "position nowhere",
        "position fen x",
        "position fen 8/8/8/8/8/8/8/8 w - - 0 1",
        "position startpos moves e2e5",
        "position startpos moves e2",
    ],
)
def test_aPositionThatCannotBe_isTold_andTheLastOneStays(wrong: str) -> None:
    answers = said(f"position fen {AFTER_E4}", wrong, "go")
    assert answers[0].startswith("info string not a position: ")
    assert answers[-1] == f"bestmove {first_legal(chess.Board(AFTER_E4))}"


def test_go_searchesOnlyTheMovesAskedFor() -> None:
    assert best("go searchmoves g1f3 nodes 5") == "g1f3"
    assert best("go nodes 5 searchmoves b1c3") == "b1c3"
    assert best("go searchmoves e2e5") == first_legal(chess.Board())


@pytest.mark.parametrize(("go", "end"), [("go infinite", "stop"), ("go ponder", "ponderhit")])
def test_bestmove_waitsWhereTheProtocolSaysSo(go: str, end: str) -> None:
    assert not any(line.startswith("bestmove") for line in said(go, "isready"))
    assert said(go, "isready", end)[-1].startswith("bestmove ")
    assert len(said(go, end, end)) == len(said(go, end))


def test_aFinishedGame_hasNoMove() -> None:
    assert said(f"position fen {MATED}", "go") == ["bestmove (none)"]


def test_castlingEnPassantAndUnderpromotion_areWrittenAsUciDoes() -> None:
    for fen, uci in (
        ("4k3/8/8/8/8/8/8/4K2R w K - 0 1", "e1g1"),
        ("4k3/8/8/8/Pp6/8/8/4K3 b - a3 0 1", "b4a3"),
        ("8/P3k3/8/8/8/8/8/4K3 w - - 0 1", "a7a8n"),
    ):
        assert best(f"position fen {fen}", f"go searchmoves {uci}") == uci


def test_aLine_hasTheRepetitionsOfTheSameGame() -> None:
    line, game = Line.of(["startpos"]), Game()
    rng = random.Random(3)
    for uci in ("g1f3 g8f6 f3g1 f6g8 " * 3).split():
        index = move_index(game.board, chess.Move.from_uci(uci))
        assert line.position == game.position
        line.play(uci)
        game.play(index)
    for _ in range(30):
        move = rng.choice(list(game.board.legal_moves))
        line.play(move.uci())
        game.play(move_index(game.board, move))
        assert line.position == game.position


def test_aNetWithNoise_variesUnlessItIsSeeded() -> None:
    net, asked = random_net(noise=40), ["position startpos", *["go nodes 1"] * 20]
    first, again = (said(*asked, load=net_mover(net, 1)) for _ in range(2))
    assert first == again != said(*asked, load=net_mover(net))
    assert len(set(first)) > 4


@pytest.fixture(scope="module")
def pawn() -> Iterator[chess.engine.SimpleEngine]:
    command = [sys.executable, "-m", "server", "uci", "--bot", "pawn"]
    engine = chess.engine.SimpleEngine.popen_uci(command, timeout=120)
    yield engine
    engine.quit()


def test_pythonChess_playsAGameWithPawn(pawn: chess.engine.SimpleEngine) -> None:
    """Each move is the net's own, as the arena would play it."""
    net, rng, game = house_net("pawn"), random.Random(1), Game()
    while not game.outcome().result and game.ply < 60:
        wanted = index_move(game.board, choose(net, game.position, game.mask))
        played = pawn.play(game.board, chess.engine.Limit(time=0.01), game=game)
        assert played.move == wanted
        reply = rng.choice(list(game.board.legal_moves)) if game.ply % 2 else wanted
        game.play(move_index(game.board, reply))
    assert pawn.id["name"] == "checkproof pawn"
    assert game.ply > 20


def test_pythonChess_analysesUntilItIsStopped(pawn: chess.engine.SimpleEngine) -> None:
    board = chess.Board(AFTER_E4)
    with pawn.analysis(board) as analysis:
        shown = analysis.get()
        analysis.stop()
        net = house_net("pawn")
        wanted = index_move(board, choose(net, Position.of(board), legal_mask(board)))
        assert analysis.wait().move == wanted
    assert shown["pv"] == [wanted]


def test_anOnnxFile_playsWhatItsCircuitSays(tmp_path: Path) -> None:
    folder = folder_of(1)
    (tmp_path / "ezkl").symlink_to(folder.parent)
    file = tmp_path / "my-net.onnx"
    file.write_bytes(to_onnx(tiny_net(1)))
    command = [sys.executable, "-m", "server", "uci", "--bot", str(file), "--data", str(tmp_path)]
    board = chess.Board(AFTER_E4)
    here, mask = Position.of(board), legal_mask(board)
    wanted = Heads(by_piece=False).choose(tiny_net(1).outputs(here.board), here.board, mask)
    with chess.engine.SimpleEngine.popen_uci(command, timeout=120) as engine:
        played = engine.play(board, chess.engine.Limit(nodes=1))
    assert played.move == index_move(board, wanted)


def test_aBotThatThereIsNot_isOneClearLine(tmp_path: Path) -> None:
    ran = run("uci", "--bot", "nobody", "--data", tmp_path)
    assert (ran.code, ran.out) == (1, "")
    assert "there is no bot called 'nobody'" in ran.err
    assert ran.err.count("\n") == 1
    ran = run("uci", "--bot", tmp_path / "no.onnx", "--data", tmp_path)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "no.onnx" in ran.err
