"""Nets side by side: what a proof of each costs, and how strong each is.

A row is one net:

    name, net         its name and hash
    activations       values that a non-linear step makes
    constraints, terms
    cpu_s             median CPU seconds of a proof, on one core, null if none was asked for
    elo, plus_minus, games
    loss, agreement   from the training's own report beside the file (NAME.report.json), if any
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.ladder import Options, measure
from engine.ladder_players import HouseNet, NetFile, Rungs
from engine.net import NetSpec, house_net
from engine.train.cost import estimate
from proofs.bench import bench_prove

Say = Callable[[str], None]


def bench_nets(
    bots: Sequence[str],
    rungs: Rungs,
    *,
    proofs: int,
    options: Options,
    data: Path,
    begin_worker: Callable[[int], None] | None = None,
    say: Say,
) -> list[dict[str, Any]]:
    """A row for each house net or net file.  Games that were played before are not played again.

    Raises InvalidNet, OSError, and what `measure` and `bench_prove` raise.
    """
    nets = [_loaded(bot) for bot in bots]
    rows = []
    for bot, net in zip(bots, nets, strict=True):
        say(f"{net.name}:")
        cost = estimate(net)
        proven = bench_prove(bot, proofs, data_dir=data, progress=say) if proofs else None
        played = measure(
            NetFile(bot) if bot.endswith(".json") else HouseNet(bot),
            rungs,
            options=options,
            file=data / "ladder" / "games.jsonl",
            begin_worker=begin_worker,
            say=say,
        )
        rows.append(
            {
                "name": net.name,
                "net": net.hash,
                "activations": sum(64 * len(layer.bias) for layer in net.layers),
                "constraints": cost.constraints,
                "terms": cost.terms,
                "cpu_s": proven["cpu_s"]["median"] if proven else None,
                "elo": played["elo"],
                "plus_minus": played["plus_minus"],
                "games": played["games"],
                **_reported(bot, net),
            }
        )
    return rows


def _loaded(bot: str) -> NetSpec:
    return NetSpec.load(bot) if bot.endswith(".json") else house_net(bot)


def _reported(bot: str, net: NetSpec) -> dict[str, Any]:
    """What training said of this very net, null where it said nothing."""
    report = Path(bot).with_suffix(".report.json")
    said = json.loads(report.read_text("utf-8")) if report.is_file() else {}
    if said.get("net") != net.hash:
        said = {}
    return {"loss": said.get("loss"), "agreement": said.get("agreement")}
