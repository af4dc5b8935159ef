"""Make a house net: `data` labels positions with Stockfish, `net` trains on them.

`search` trains the candidates of an architecture search, `plot` draws what came out, `quality`
tells how often nets agree with Stockfish on positions that they were not trained on, `export`
writes a net as an ONNX file, as `net` does beside its own.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.errors import EngineError
from engine.export_house import write_onnx
from engine.net import NetSpec, house_net
from engine.net_file import is_name
from engine.train.cost import estimate
from engine.train.data import DataOptions, load_data, make_data
from engine.train.plot import draw
from engine.train.quality import agreement
from engine.train.recipes import RECIPES
from engine.train.search import CANDIDATES, search
from engine.train.train import TrainOptions, train_net


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    args = _parser().parse_args(arguments)
    try:
        _COMMANDS[args.command](args)
    except (EngineError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _data(args: argparse.Namespace) -> None:
    make_data(
        args.folder,
        positions=args.positions,
        options=DataOptions(
            seed=args.seed, nodes=args.nodes, net_file=args.net, stockfish=args.stockfish
        ),
        workers=args.workers,
        progress=_print_progress,
    )


def _net(args: argparse.Namespace) -> None:
    out = args.out or Path(f"training/{args.name}.json")
    spec = train_net(
        args.name,
        data=args.folder,
        out=out,
        work=args.work,
        options=_recipe(args),
        progress=_print_progress,
    )
    cost = estimate(spec)
    print(f"{spec.name} {spec.hash}: about {cost.constraints} constraints, {cost.terms} terms")
    write_onnx(spec, out.with_suffix(".onnx"))


def _recipe(args: argparse.Namespace) -> TrainOptions:
    """The recipe of the shape's name; for any other name that of pawn."""
    recipe = RECIPES.get(args.shape or args.name, RECIPES["pawn"])
    epochs = recipe.epochs if args.epochs is None else args.epochs
    return replace(
        recipe,
        seed=args.seed,
        epochs=epochs,
        threads=args.threads,
        bfloat16=args.bfloat16,
        grown_from=args.grown_from,
    )


def _search(args: argparse.Namespace) -> None:
    files = search(
        data=args.folder,
        out=args.out,
        options=TrainOptions(seed=args.seed, epochs=args.epochs, threads=args.threads),
        names=args.only or list(CANDIDATES),
        progress=lambda name: (
            lambda done, total, what: _print_progress(done, total, f"{what} ({name})")
        ),
    )
    for file in files:
        print(file)


def _plot(args: argparse.Namespace) -> None:
    draw(args.sources, args.out)


def _quality(args: argparse.Namespace) -> None:
    data = load_data(args.folder)
    for name in args.nets:
        net = _loaded(name)
        share = round(agreement(net, data), 4)
        print(json.dumps({"net": net.hash, "positions": len(data), "agreement": share}))


def _loaded(net: str) -> NetSpec:
    return house_net(net) if is_name(net) else NetSpec.load(net)


def _export(args: argparse.Namespace) -> None:
    net = _loaded(args.net)
    out = args.out or Path(args.net).with_suffix(".onnx")
    write_onnx(net, out)
    print(out)


_COMMANDS: Final = {
    "data": _data,
    "net": _net,
    "search": _search,
    "plot": _plot,
    "quality": _quality,
    "export": _export,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="label positions with Stockfish")
    data.add_argument("--folder", type=Path, default=Path("training/data"))
    data.add_argument("--positions", type=_count, default=400_000)
    data.add_argument("--nodes", type=_count, default=600)
    data.add_argument("--workers", type=_count, default=1)
    data.add_argument("--seed", type=int, default=1)
    data.add_argument("--net", type=Path, help="a net whose own games are a part of the data")
    data.add_argument("--stockfish", help="path of the engine, if it is not found by itself")
    net = commands.add_parser("net", help="train a net on labelled positions")
    net.add_argument("--name", default="pawn")
    net.add_argument("--shape", choices=sorted(RECIPES), help="default: that of the name, if any")
    net.add_argument("--folder", type=Path, default=Path("training/data"))
    net.add_argument("--out", type=Path, help="default: training/NAME.json")
    net.add_argument("--work", type=Path, default=Path("training/checkpoints"))
    net.add_argument("--grown-from", type=Path, help="a smaller net's file to begin with")
    net.add_argument("--epochs", type=int, help="default: the recipe's")
    net.add_argument("--threads", type=_count, default=1)
    net.add_argument(
        "--bfloat16", action="store_true", help="coarser sums but for the last tenth, and faster"
    )
    net.add_argument("--seed", type=int, default=1)
    trial = commands.add_parser("search", help="train the candidates of the architecture search")
    trial.add_argument("--folder", type=Path, default=Path("training/data"))
    trial.add_argument("--out", type=Path, default=Path("training/search"))
    trial.add_argument("--epochs", type=_count, default=1)
    trial.add_argument("--threads", type=_count, default=1)
    trial.add_argument("--seed", type=int, default=1)
    trial.add_argument("--only", nargs="+", choices=sorted(CANDIDATES), metavar="NAME")
    plot = commands.add_parser("plot", help="draw rows of `bench nets`, or a training's curve")
    plot.add_argument(
        "sources", type=Path, nargs="+", help="FILE.json of rows, or one FILE.curve.jsonl"
    )
    plot.add_argument("out", type=Path, help="FILE.svg")
    quality = commands.add_parser("quality", help="how often nets agree with Stockfish")
    quality.add_argument("nets", metavar="NET", nargs="+", help="a house net's name, or a net file")
    quality.add_argument(
        "--folder", type=Path, required=True, help="positions that they were not trained on"
    )
    export = commands.add_parser("export", help="write a net as an ONNX file (needs onnx)")
    export.add_argument("net", metavar="NET", help="a house net's name, or a net file")
    export.add_argument("out", type=Path, nargs="?", help="default: NET.onnx, beside its file")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("must be a whole number above 0")
    return int(text)


def _print_progress(done: int, total: int, what: str) -> None:
    print(f"{done}/{total} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
