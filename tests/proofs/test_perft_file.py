from pathlib import Path

import chess
import pytest

from engine.encoding import START, Position
from proofs.bench_perft import bench_perft
from proofs.errors import NotAPerftFile
from proofs.perft_file import read_perft

FEN = chess.STARTING_FEN


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "some.epd"
    file.write_bytes(
        f"\ufeff# a comment\r\n\r\n  {FEN} ;D2 400;d1   20 ;\r\n"
        "4k3/8/8/8/8/8/8/4K2R w K - ; D3 1197\r\n".encode()
    )
    first, second = read_perft(file)
    assert (first.line, first.fen, first.position) == (3, FEN, START)
    assert first.counts == ((1, 20), (2, 400))
    assert first.up_to(399) == ((1, 20),)
    assert (second.line, second.counts) == (4, ((3, 1197),))
    assert second.position == Position.of(chess.Board("4k3/8/8/8/8/8/8/4K2R w K - 0 1"))


@pytest.mark.parametrize(
    ("fen", "same_as"),
    [
        ("4k3/8/8/8/8/8/8/4K3 w KQkq - 0 1", "4k3/8/8/8/8/8/8/4K3 w - - 0 1"),
        ("4k3/8/8/8/4P3/8/8/4K3 w - e3 0 1", "4k3/8/8/8/4P3/8/8/4K3 w - - 0 1"),
        ("4k3/8/8/8/8/1p6/8/4K3 b - a3 0 1", "4k3/8/8/8/8/1p6/8/4K3 b - - 0 1"),
    ],
)
def test_rights_to_nothing_count_for_nothing(fen: str, same_as: str, tmp_path: Path) -> None:
    file = tmp_path / "some.epd"
    file.write_text(f"{fen} ;D1 5")
    assert read_perft(file)[0].position == Position.of(chess.Board(same_as))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (FEN, "no counts after the position"),
        (f"{FEN} ;D1", "'D1' is not a count such as 'D3 8902'"),
        (f"{FEN} ;D0 1", "'D0 1' is not a count such as 'D3 8902'"),
        (f"{FEN} ;D1 -20", "'D1 -20' is not a count such as 'D3 8902'"),
        (f"{FEN} ;D1 20 D2 400", "'D1 20 D2 400' is not a count such as 'D3 8902'"),
        (f"{FEN} ;D1 {'9' * 90}", f"'D1 {'9' * 37}' is not a count such as 'D3 8902'"),
        (f"{FEN} ;D1 20 ;D1 20", "two counts of depth 1"),
        ("id gentest-1 ;D1 20", "'id gentest-1' is not a FEN of four to six fields"),
        ("8/8 w - - 0 1 ;D1 20", "expected 8 rows in position part of fen: '8/8'"),
        ("4k3/8/8/8/8/8/8/8 w - - 0 1 ;D1 1", "no position to play on: no white king"),
        ("P3k3/8/8/8/8/8/8/4K3 w - - 0 1 ;D1 1", "no position to play on: pawns on backrank"),
        ("4k3/8/8/8/8/8/8/5KR1 w G - 0 1 ;D1 1", "castling as in Chess960, not played here"),
    ],
)
def test_a_broken_line_is_named(line: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.epd"
    file.write_text(f"{FEN} ;D1 20\n{line}\n")
    with pytest.raises(NotAPerftFile) as caught:
        read_perft(file)
    assert str(caught.value) == f"{file}, line 2: {why}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no position in it"),
        (b"# nothing\n", "no position in it"),
        (b"\xff\xfe\x00", "not a text"),
    ],
)
def test_a_file_of_something_else_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.epd"
    file.write_bytes(content)
    with pytest.raises(NotAPerftFile, match=why):
        read_perft(file)


def test_counting_nothing_is_no_success(tmp_path: Path) -> None:
    file = tmp_path / "large.epd"
    file.write_text(f"{FEN} ;D4 197281\n")
    with pytest.raises(NotAPerftFile, match="no count in it is at most 1,000"):
        bench_perft(file, max_nodes=1000)
