"""Published perft counts, by the contract's rules.

CHECKPROOF_PERFT=1000000  check counts up to that instead of 20,000
"""

import os
from pathlib import Path
from typing import Final

import chess
import pytest

from engine.encoding import decode
from proofs.bench_perft import MAX_NODES, bench_perft, golden_file
from proofs.perft_file import PerftCase, read_perft
from tests.command import run

PERFT: Final = int(os.environ.get("CHECKPROOF_PERFT", "20000"))
START_FEN: Final = chess.STARTING_FEN

_USUAL: Final = 6
_COUNTED_AGAIN: Final = 3_000


@pytest.fixture(scope="module")
def golden() -> list[PerftCase]:
    return read_perft(golden_file())


def test_perft_isThePublishedCounts(golden: list[PerftCase]) -> None:
    told: list[str] = []
    report = bench_perft(max_nodes=PERFT, progress=told.append)
    assert report["mismatches"] == 0, told
    assert report["positions"] == len(golden)
    assert report["nodes"] == sum(case.up_to(PERFT)[-1][1] for case in golden)
    assert report["nodes_per_s"] > 0


def test_golden_holdsMoreThanAMillionLeaves(golden: list[PerftCase]) -> None:
    assert len(golden) >= _USUAL + 30
    assert sum(case.up_to(MAX_NODES)[-1][1] for case in golden) >= 1_000_000
    assert len({(case.position, case.fen.split()[1]) for case in golden}) == len(golden)


def test_golden_isPythonChess(golden: list[PerftCase]) -> None:
    for case in golden:
        for depth, count in case.up_to(_COUNTED_AGAIN):
            assert _perft(chess.Board(case.fen), depth) == count, (case.fen, depth)


def test_golden_isTheSameForBothColours(golden: list[PerftCase]) -> None:
    """The words are the mover's, so that colours swapped they are the same."""
    for case in golden:
        board = chess.Board(case.fen)
        assert type(case.position).of(board.mirror()) == case.position
        assert decode(case.position, board.turn).board_fen() == board.board_fen()


def _perft(board: chess.Board, depth: int) -> int:
    if depth == 1:
        return board.legal_moves.count()
    leaves = 0
    for move in board.legal_moves:
        board.push(move)
        leaves += _perft(board, depth - 1)
        board.pop()
    return leaves


def test_bench_tellsOfEveryMismatch(tmp_path: Path) -> None:
    file = tmp_path / "wrong.epd"
    file.write_text(f"# two of four\n{START_FEN} ;D1 20 ;D2 401\n{START_FEN};D3 8901;D1 20\n")
    told: list[str] = []
    report = bench_perft(file, progress=told.append)
    assert (report["positions"], report["mismatches"]) == (2, 2)
    assert told == [
        f"line 2, depth 2: the contract counts 400, the file 401: {START_FEN}",
        f"line 3, depth 3: the contract counts at least 8,902, the file 8,901: {START_FEN}",
    ]


def test_bench_stopsCountingWhereTheFileIsTooLow(tmp_path: Path) -> None:
    file = tmp_path / "low.epd"
    file.write_text(f"{START_FEN} ;D6 1\n")
    report = bench_perft(file)
    assert report["mismatches"] == 1
    assert report["nodes"] < 100_000


def test_bench_leavesLargerCountsOut(tmp_path: Path) -> None:
    file = tmp_path / "some.epd"
    file.write_text(f"{START_FEN} ;D2 400 ;D3 1\n4k3/8/8/8/8/8/8/4K2R w K - 0 1 ;D4 7059\n")
    assert bench_perft(file, max_nodes=400)["mismatches"] == 1  # D3
    file.write_text(f"{START_FEN} ;D2 400 ;D3 8903\n4k3/8/8/8/8/8/8/4K2R w K - 0 1 ;D4 7059\n")
    report = bench_perft(file, max_nodes=400)
    assert (report["positions"], report["nodes"], report["mismatches"]) == (1, 400, 0)


def test_command_succeedsIfAllAgree(tmp_path: Path) -> None:
    file = tmp_path / "fine.epd"
    file.write_text(f"{START_FEN} ;D1 20 ;D2 400 ;D3 8902 ;D4 197281\n")
    done = run("bench", "perft", "--file", file, "--max-nodes", "10000", "--json")
    assert done.code == 0, done.err
    report = done.json
    assert list(report) == ["positions", "nodes", "mismatches", "nodes_per_s"]
    assert (report["positions"], report["nodes"], report["mismatches"]) == (1, 8902, 0)


def test_command_failsIfACountDiffers(tmp_path: Path) -> None:
    file = tmp_path / "wrong.epd"
    file.write_text(f"{START_FEN} ;D1 19\n")
    done = run("bench", "perft", "--file", file, "--json")
    assert done.code == 3
    assert done.json["mismatches"] == 1
    assert done.err == (
        f"line 1, depth 1: the contract counts at least 20, the file 19: {START_FEN}\n"
    )


def test_command_failsIfTheFileIsBroken(tmp_path: Path) -> None:
    file = tmp_path / "broken.epd"
    file.write_text(f"{START_FEN} ;D1 twenty\n")
    done = run("bench", "perft", "--file", file)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"checkproof: {file}, line 1: 'D1 twenty' is not a count such as 'D3 8902'\n"
