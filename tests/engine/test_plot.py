"""Pictures of nets and of trainings."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from engine.train.__main__ import main
from engine.train.plot import pareto, training

SVG = "{http://www.w3.org/2000/svg}"


def row(name: str, constraints: int, elo: float | None) -> dict[str, Any]:
    return {"name": name, "constraints": constraints, "elo": elo, "plus_minus": 40}


def test_the_front_holds_the_nets_that_no_cheaper_one_beats() -> None:
    rows = [row("a", 30_000, 900), row("b", 60_000, 1100), row("c", 90_000, 1000)]
    picture = ElementTree.fromstring(pareto(rows))
    dots = picture.findall(f"{SVG}circle")
    assert len(dots) == 3
    (front,) = (p for p in picture.findall(f"{SVG}path") if p.get("class") == "front")
    corners = re.findall(r"([\d.]+) ([\d.]+)", front.get("d") or "")
    places = [(dot.get("cx"), dot.get("cy")) for dot in dots]
    assert corners == [places[0], (places[1][0], places[0][1]), places[1]]


def test_a_stronger_net_lies_higher_and_a_dearer_one_further_right() -> None:
    picture = ElementTree.fromstring(pareto([row("a", 30_000, 900), row("b", 60_000, 1100)]))
    weak, strong = picture.findall(f"{SVG}circle")
    assert float(strong.get("cy") or 0) < float(weak.get("cy") or 0)
    assert float(strong.get("cx") or 0) > float(weak.get("cx") or 0)


def test_a_net_without_a_rating_is_left_out_and_names_are_escaped() -> None:
    text = pareto([row("a<b", 30_000, 900), row("c", 60_000, None)])
    assert len(ElementTree.fromstring(text).findall(f"{SVG}circle")) == 1
    assert "a&lt;b" in text
    with pytest.raises(ValueError, match="no net has a rating"):
        pareto([row("c", 60_000, None)])


def test_a_training_draws_both_losses() -> None:
    lines = [{"step": 50 * k, "loss": 3 - 0.1 * k} for k in range(1, 5)]
    lines.append({"step": 200, "held_out": 2.7, "agreement": 0.25})
    text = training(lines)
    paths = {p.get("class"): p.get("d") for p in ElementTree.fromstring(text).iter(f"{SVG}path")}
    assert len(re.findall("L", paths["loss"] or "")) == 3
    assert "25.0%" in text
    with pytest.raises(ValueError, match="fewer than two points"):
        training(lines[:1])


def test_the_command_draws_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, curve = tmp_path / "nets.json", tmp_path / "pawn.curve.jsonl"
    rows.write_text(json.dumps({"nets": [row("a", 30_000, 900)]}), "utf-8")
    curve.write_text("".join(f'{{"step": {50 * k}, "loss": {3 - k / 10}}}\n' for k in (1, 2, 3)))
    for source, dots in ((rows, 1), (curve, 0)):
        out = tmp_path / "img" / f"{source.stem}.svg"
        assert main(["plot", str(source), str(out)]) == 0
        picture = ElementTree.fromstring(out.read_text("utf-8"))
        assert len(picture.findall(f"{SVG}circle")) == dots
    assert main(["plot", str(tmp_path / "missing.json"), str(tmp_path / "x.svg")]) == 1
    assert "missing.json" in capsys.readouterr().err
