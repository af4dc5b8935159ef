"""A house net's ONNX file: its logits are numpy's, to the last bit."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from engine.errors import InvalidNet, OnnxMissing
from engine.export_house import house_to_onnx, write_onnx
from engine.net import NetSpec, house_net, house_nets
from tests.engine.boards import game_boards, wild_boards
from tests.engine.nets import random_net

FAR = ((0, 0), (1, 0), (-7, 7), (1, 2), (0, -3))
FULL: dict[str, Any] = {"sight": True, "pieces": True, "noise": 7}
NETS = [
    *map(house_net, house_nets()),
    random_net(1, channels=()),
    random_net(2, channels=(), **FULL),
    random_net(3, channels=(5, 4)),
    random_net(4, channels=(6, 3), gates=(0,), **FULL),
    random_net(5, channels=(3, 4, 2), gates=(1, 2), taps=FAR, magnitude=2, **FULL),
    random_net(6, channels=(3, 2), taps=((-2, -1), (3, 0)), shift=0, pieces=True),
]


def computed(data: bytes, planes: NDArray[np.float64]) -> NDArray[np.float64]:
    evaluator = ReferenceEvaluator(onnx.load_model_from_string(data))
    (logits,) = evaluator.run(None, {"planes": planes})
    assert isinstance(logits, np.ndarray)
    return logits


def planes_of(net: NetSpec, words: list[int]) -> NDArray[np.float64]:
    planes = np.stack([net.forward(word).planes for word in words])
    return planes.reshape(len(words), net.input_planes, 8, 8).astype(np.float64)


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_the_file_computes_the_nets_logits(net: NetSpec) -> None:
    words = game_boards(40, seed=3) + wild_boards(20, seed=4)
    logits = computed(house_to_onnx(net), planes_of(net, words))
    still = replace(net, noise=0)
    assert logits.dtype == np.float64
    assert np.array_equal(logits, np.stack([still.forward(word).logits for word in words]))
    assert len(np.unique(logits, axis=0)) > 40


def test_logits_that_float32_could_not_hold() -> None:
    taps, large = ((0, 0),), 2**14
    net = random_net(8, channels=(1,), taps=taps, magnitude=large, gates=(0,), pieces=True)
    words = wild_boards(30, seed=8)[13:]
    expected = np.stack([net.forward(word).logits for word in words])
    assert not np.array_equal(expected.astype(np.float32), expected)
    assert np.array_equal(computed(house_to_onnx(net), planes_of(net, words)), expected)


def test_the_noise_leaves_no_trace() -> None:
    net = random_net(4, **FULL)
    assert house_to_onnx(net) == house_to_onnx(replace(net, noise=0))


def test_no_piece_weights_no_nodes_for_them() -> None:
    def operators(net: NetSpec) -> set[str]:
        return {n.op_type for n in onnx.load_model_from_string(house_to_onnx(net)).graph.node}

    assert "ReduceSum" in operators(random_net(3, pieces=True))
    assert "ReduceSum" not in operators(random_net(3))


def test_a_net_beyond_its_bounds_has_no_file(tmp_path: Path) -> None:
    large = random_net(9, channels=(60, 60), magnitude=2**15, gates=(0, 1), **FULL)
    with pytest.raises(InvalidNet):
        write_onnx(large, tmp_path / "large.onnx")
    assert not list(tmp_path.iterdir())


def test_the_written_file_is_the_net(tmp_path: Path) -> None:
    net = random_net(3)
    write_onnx(net, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == house_to_onnx(net)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_without_onnx_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(OnnxMissing, match=r"^ONNX files need the package onnx: pip install"):
        house_to_onnx(random_net(3))
