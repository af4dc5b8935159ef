"""The shipped ezkl bot: small enough for the smallest wait, and no weaker than a greedy mover."""

from importlib import resources
from pathlib import Path

from engine.export import Heads, TemplateWeights, to_onnx
from engine.export_rungs import greedy_mover, outputs_mover
from engine.player import play_matches
from proofs.ezkl_build import lay_out
from proofs.ezkl_shape import wrap
from proofs.onnx_contract import check_onnx

ROOK = (resources.files("engine") / "nets" / "rook.onnx").read_bytes()


def test_it_keeps_the_contract() -> None:
    facts = check_onnx(ROOK)
    assert facts.heads == Heads(by_piece=False)
    assert len(ROOK) <= 300_000


def test_its_circuit_is_small(tmp_path: Path) -> None:
    (tmp_path / "circuit.onnx").write_bytes(wrap(ROOK))
    assert lay_out(tmp_path).logrows == 15


def test_it_is_a_template_net() -> None:
    assert to_onnx(TemplateWeights.from_onnx(ROOK)) == ROOK


def test_it_does_not_lose_to_the_greedy_mover() -> None:
    net = TemplateWeights.from_onnx(ROOK)
    rook = outputs_mover(net.outputs, Heads(by_piece=False).choose)
    assert play_matches(rook, greedy_mover(1), games=20).points >= 10
