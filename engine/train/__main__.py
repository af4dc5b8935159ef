"""python -m engine.train data|net"""

import argparse
import sys
from pathlib import Path

from engine.errors import EngineError
from engine.train.data import DataOptions, make_data


def main() -> int:
    args = _parser().parse_args()
    try:
        if args.command == "data":
            make_data(
                args.folder,
                positions=args.positions,
                options=DataOptions(seed=args.seed, nodes=args.nodes, net_file=args.net),
                workers=args.workers,
                progress=_print_progress,
            )
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="label positions with Stockfish")
    data.add_argument("--folder", type=Path, default=Path("training/data"))
    data.add_argument("--positions", type=int, default=400_000)
    data.add_argument("--nodes", type=int, default=600)
    data.add_argument("--workers", type=int, default=1)
    data.add_argument("--seed", type=int, default=1)
    data.add_argument("--net", type=Path, help="a net whose own games are a part of the data")
    return parser


def _print_progress(done: int, total: int, what: str) -> None:
    print(f"{done}/{total} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
