"""`python -m engine.train`: from no data to a net file."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.export_house import house_to_onnx
from engine.net import NetSpec, house_net
from engine.policy_map import POLICY_SIZE
from engine.train.__main__ import main
from tests.engine.nets import random_net
from tests.engine.training import fake_data, write_data


def test_data_then_net(
    stockfish_path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = str(tmp_path / "data"), tmp_path / "knight.json"
    made = ["--positions", "1", "--nodes", "5", "--stockfish", stockfish_path]
    assert main(["data", "--folder", folder, *made]) == 0
    assert "1/1 shards" in capsys.readouterr().err
    work = ["--folder", folder, "--work", str(tmp_path / "work"), "--out", str(out)]
    assert main(["net", "--name", "knight", "--epochs", "0", *work]) == 0
    assert NetSpec.load(out).name == "knight"
    assert "constraints" in capsys.readouterr().out
    assert out.with_suffix(".onnx").read_bytes() == house_to_onnx(NetSpec.load(out))


def test_agreement_is_that_of_the_move_a_bot_would_play(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net, data = house_net("pawn"), fake_data(40)
    for row, words in enumerate(data.board):
        legal = np.unpackbits(data.legal[row], bitorder="little", count=POLICY_SIZE)
        logits = net.forward(int.from_bytes(words.tobytes(), "little")).logits
        chosen = max(np.flatnonzero(legal), key=lambda index: (logits[index], -index))
        data.index[row, 0] = chosen if row < 30 else (chosen + 1) % POLICY_SIZE
    write_data(tmp_path, data)
    assert main(["quality", "pawn", "--folder", str(tmp_path)]) == 0
    told = {"net": net.hash, "positions": 40, "agreement": 0.75}
    assert json.loads(capsys.readouterr().out) == told


def test_a_missing_stockfish_is_one_line_and_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["data", "--folder", str(tmp_path), "--stockfish", "/nowhere/stockfish"])
    assert status == 1
    assert "no Stockfish at /nowhere/stockfish; install" in capsys.readouterr().err


def test_a_broken_net_file_is_one_line_and_status_1(
    stockfish_path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker that reads the file is another process: its error comes home whole."""
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    options = ["--net", str(broken), "--stockfish", stockfish_path]
    assert main(["data", "--folder", str(tmp_path / "data"), *options]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("not a usable net: the file must")


def test_missing_data_is_one_line_and_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["net", "--folder", str(tmp_path), "--work", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"no labelled positions in {tmp_path}; make some first\n"


def test_a_bad_name_is_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["net", "--name", "Pawn 2", "--folder", str(tmp_path)]) == 1
    assert "'Pawn 2' is no name for a net" in capsys.readouterr().err


@pytest.mark.parametrize("positions", ["0", "-5", "many", "1.5"])
def test_a_bad_count_is_a_usage_error(positions: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["data", "--positions", positions])
    assert caught.value.code == 2
    assert "whole number above 0" in capsys.readouterr().err


def test_export_of_a_house_net(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.onnx"
    assert main(["export", "pawn", str(out)]) == 0
    assert out.read_bytes() == house_to_onnx(house_net("pawn"))
    assert capsys.readouterr().out == f"{out}\n"


def test_export_of_a_net_file_lies_beside_it(tmp_path: Path) -> None:
    net = random_net(3)
    (tmp_path / "mine.json").write_bytes(net.to_bytes())
    assert main(["export", str(tmp_path / "mine.json")]) == 0
    assert (tmp_path / "mine.onnx").read_bytes() == house_to_onnx(net)


@pytest.mark.parametrize(
    ("net", "said"),
    [("prawn", "no house net called 'prawn'"), ("./prawn.json", "No such file or directory")],
)
def test_export_of_no_net_is_one_line(
    net: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", net, str(tmp_path / "out.onnx")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not list(tmp_path.iterdir())


def test_export_without_onnx_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["export", "pawn", str(tmp_path / "out.onnx")]) == 1
    assert capsys.readouterr().err == (
        "ONNX files need the package onnx: pip install 'checkproof[train]'\n"
    )
