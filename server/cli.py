"""The command line: `checkproof serve | watch | games | audit | prove | verify | bots | ...`.

Data goes to stdout, everything said about the work to stderr.  Exit codes: 0 done, 1 it could not
be done, 2 it was asked for wrongly, 3 a check failed, 4 something stayed undecided.

What a command needs is imported when it runs, so that `--help` is quick.
"""

# ruff: noqa: PLC0415

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from engine.errors import EngineError
from proofs.errors import AuditError, ProofError
from server.cli_audit_options import audit
from server.cli_bench import app as bench_app
from server.cli_ceremony import app as ceremony_app
from server.cli_options import DATA, ArenaAt, AsJson, Bot, Data, Rpc, Url, say
from server.cli_purse import app as purse_app
from server.errors import BadSetting, ServerError
from server.money import account, wei

FAILURE: Final = 1
USAGE: Final = 2

app = typer.Typer(
    name="checkproof",
    help="A chess-bot arena whose bots cannot cheat.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
bots_app = typer.Typer(help="The bots that a chain knows.", no_args_is_help=True)
setup_app = typer.Typer(help="Make keys.", no_args_is_help=True)
train_app = typer.Typer(help="Make nets (needs the `train` extra).", no_args_is_help=True)
app.add_typer(bots_app, name="bots")
app.add_typer(setup_app, name="setup")
setup_app.add_typer(ceremony_app, name="ceremony")
app.add_typer(train_app, name="train")
app.add_typer(bench_app, name="bench")
app.add_typer(purse_app, name="purse")


def main() -> None:
    """Run the command line and exit."""
    try:
        app()
    except AuditError as error:
        _complain(error, USAGE)
    except (EngineError, ProofError, ServerError, OSError) as error:
        _complain(error, FAILURE)
    except KeyboardInterrupt:
        sys.exit(130)


def _complain(error: Exception, status: int) -> None:
    if isinstance(error, BrokenPipeError):  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        line = " ".join(str(error).split())  # part of it may be a stranger's words
        print("checkproof:", "".join(c if c.isprintable() else "?" for c in line), file=sys.stderr)
    sys.exit(status)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(version("checkproof"))
        except PackageNotFoundError:
            print("0 (not installed)")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")
    ] = False,
) -> None: ...


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Where to listen.")] = None,
    port: Annotated[
        int | None, typer.Option(help="The next free one is taken if it is not.", min=1, max=65535)
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The folder of keys and chain.")] = None,
    rpc: Annotated[
        str | None,
        typer.Option(help="A chain to use; else a local one.  Its key: CHECKPROOF_KEY."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that prove; else one a processor.", min=1)
    ] = None,
    memory_mb: Annotated[
        int | None, typer.Option(help="Memory that provers may take; else what is free.", min=0)
    ] = None,
    bot: Annotated[
        list[str] | None, typer.Option(help="A shipped bot that plays here; else all.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="A further web origin that may use the socket.")
    ] = None,
    exhibition: Annotated[
        bool | None,
        typer.Option(help="Let bots play each other while nobody plays and somebody looks on."),
    ] = None,
    log: Annotated[str | None, typer.Option(help="Lines for people, or JSON: text, json.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings in TOML; else checkproof.toml in DATA or here.")
    ] = None,
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Print the settings and where they come from.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the store again from the chain's logs alone.")
    ] = False,
) -> None:
    """Host the arena: page, games, provers, and a local chain unless told of another.

    Every setting can also come from the environment (CHECKPROOF_PORT) or the file (port).
    """
    from server.cli_serve import run_serve

    flags = {
        "host": host,
        "port": port,
        "data": data,
        "rpc": rpc,
        "workers": workers,
        "memory_mb": memory_mb,
        "bots": tuple(bot) if bot else None,
        "origins": tuple(origin) if origin else None,
        "exhibition": exhibition,
        "log": log,
        "log_level": log_level,
    }
    try:
        run_serve(flags, file=config, show=show_config, rebuild=rebuild)
    except BadSetting as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Write the data folder to one file, while a server runs on it or not."""
    from server.cli_backup import run_backup

    run_backup(data, file, as_json=as_json, say=say)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    data: Annotated[
        Path, typer.Option("--data", help="The folder to make; it must be empty or not exist.")
    ],
    as_json: AsJson = False,
) -> None:
    """Make a data folder from a backup; games go on there when it is served."""
    from server.cli_backup import run_restore

    run_restore(file, data, as_json=as_json)


app.command()(audit)


@app.command()
def prove(
    *,
    fen: Annotated[str | None, typer.Argument(help="A position, the bot to move.")] = None,
    game: Annotated[
        str | None, typer.Option(help="A game of anybody's: bring the moves its bot owes.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until that game ends.")] = False,
    rpc: Rpc = None,
    arena: ArenaAt = None,
    url: Annotated[
        str | None, typer.Option(help="A server to fetch a bot's files from.", metavar="URL")
    ] = None,
    purse: Annotated[
        str | None,
        typer.Option(
            help="Bring that game's moves by this contract, for a fee.",
            metavar="ADDRESS",
            parser=account,
        ),
    ] = None,
    least_fee: Annotated[
        int | None, typer.Option(help="Prove none for less.", metavar="SUM", parser=wei)
    ] = None,
    bot: Bot = "pawn",
    out: Annotated[Path | None, typer.Option(help="Write here, not to stdout.")] = None,
    payee: Annotated[str, typer.Option(help="The address that the proof names.")] = "0x" + "0" * 40,
    dice: Annotated[str, typer.Option(help="128 bits as a number, 0x for hexadecimal.")] = "0",
    data: Data = DATA,
) -> None:
    """Prove what a bot plays in a position, or keep anybody's game going.

    With --game the chain is enough: proofs are paid for by the key in CHECKPROOF_KEY, or on a
    local chain by an account that everybody has there.
    """
    from server.cli_prove import prove_position

    if (purse is not None and game is None) or (least_fee is not None and purse is None):
        raise typer.BadParameter("--purse needs --game, and --least-fee needs --purse")
    if game is not None and fen is None:
        from server.cli_game import Paid, run_prover

        server = None if url is None else _http(url)
        paid = None if purse is None else Paid(purse, least_fee or 0)
        run_prover(game, (data, rpc, arena), server=server, watch=watch, say=say, paid=paid)
        return
    if fen is None or game is not None:
        raise typer.BadParameter("give a FEN, or --game and a game's id")
    try:
        numbers = int(payee, 16), int(dice, 0)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    prove_position(fen, bot=bot, out=out, bound=numbers, data=data, say=say)


@app.command("move")
def move_(
    *,
    game: Annotated[str, typer.Argument(help="A game's id, or its first digits.")],
    what: Annotated[
        str, typer.Argument(help="e4 or e2e4; or resign, draw, abort.", metavar="MOVE")
    ],
    key: Annotated[Path, typer.Option(help="The player's key, as the page exports it.")],
    rpc: Rpc = None,
    arena: ArenaAt = None,
    data: Data = DATA,
) -> None:
    """Bring a player's move to the chain without the help of any server."""
    from server.cli_game import run_move

    run_move(game, what, (data, rpc, arena), key=key)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A proof that `prove` made.")],
    key: Annotated[
        Path | None, typer.Option(help="A verifying key's bytes; else the data folder's.")
    ] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Check one proof.  Exit code 0: it holds; 3: it does not; 4: its key is not at hand."""
    from server.cli_prove import verify_file

    raise typer.Exit(verify_file(file, key=key, data=data, as_json=as_json))


@bots_app.command("list")
def bots_list(
    rpc: Rpc = None, arena: ArenaAt = None, data: Data = DATA, as_json: AsJson = False
) -> None:
    """Every registered version, with its hashes and the kind of setup behind its key."""
    from server.cli_audit import run_bots

    run_bots((data, rpc, arena), as_json=as_json, say=say)


@bots_app.command("add")
def bots_add(
    *,
    net: Annotated[Path, typer.Argument(help="An ONNX file.", metavar="NET.onnx")],
    name: Annotated[str | None, typer.Option(help="What it is called; else as its file.")] = None,
    rpc: Rpc = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run/--no-dry-run", help="Prove moves and play games first.")
    ] = True,
    moves: Annotated[int, typer.Option(help="Proven in the dry run.", min=0)] = 2,
    games: Annotated[int, typer.Option(help="Played on each of two rungs there.", min=0)] = 10,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Let an ONNX net play, proven by ezkl (needs the `ezkl` extra; minutes the first time)."""
    from server.cli_bots import Trial, run_add

    trial = Trial(moves, games) if dry_run else None
    run_add(net, name=name, data=data, rpc=rpc, trial=trial, as_json=as_json, say=say)


@bots_app.command("remove")
def bots_remove(
    name: Annotated[str, typer.Argument(help="As it was added.")],
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Offer an added bot no more; its files stay for the games that need them."""
    from server.cli_bots import run_remove

    run_remove(name, data=data, as_json=as_json, say=say)


@app.command()
def watch(
    game: Annotated[
        str, typer.Argument(help="A game's id, its first digits, or tv.", metavar="GAME|tv")
    ],
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="The frames, one a line.")] = False,
) -> None:
    """Look at a game until it ends; tv shows one after another."""
    from server.arena_http import DEFAULT_URL, is_game_name
    from server.cli_watch import run_watch

    if game != "tv" and not is_game_name(game):
        raise typer.BadParameter(f"{game!r} is no game's id, nor four of its first digits, nor tv")
    run_watch(game, url=_http(url or DEFAULT_URL), as_json=as_json, say=say)


@app.command()
def games(
    *,
    url: Url = None,
    rpc: Annotated[str | None, typer.Option(help="Read this chain instead.", metavar="URL")] = None,
    arena: ArenaAt = None,
    data: Annotated[
        Path | None, typer.Option(help="Read the chain of this folder instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The arena's games: those that a server hosts, or all that a chain knows."""
    from server.arena_http import DEFAULT_URL
    from server.cli_games import run_games_of_chain, run_games_of_server

    if rpc is None and data is None and arena is None:
        run_games_of_server(_http(url or DEFAULT_URL), as_json=as_json)
    elif url != os.environ.get("CHECKPROOF_URL"):
        raise typer.BadParameter("--url asks a server, --rpc, --arena and --data ask a chain")
    else:
        run_games_of_chain((data or DATA, rpc, arena), as_json=as_json, say=say)


@app.command()
def bridge(
    *,
    url: Url = None,
    key: Annotated[
        Path, typer.Option(help="The file of the key that plays; made if it is not there.")
    ] = DATA / "bridge.key",
    port: Annotated[
        int, typer.Option(help="The next free one is taken if it is not.", min=1, max=65535)
    ] = 8600,
) -> None:
    """Be Lichess's Bot API for a bot program on this machine, and sign its moves.

    The program needs the address and the token that are printed.  The key stays here.
    """
    from server.arena_http import DEFAULT_URL
    from server.cli_bridge import run_bridge

    run_bridge(_http(url or DEFAULT_URL), key_file=key, port=port, say=say)


@app.command()
def uci(
    *,
    bot: Annotated[
        str, typer.Option(help="A house net, an ONNX bot, or its file.", metavar="NAME|NET.onnx")
    ] = "pawn",
    data: Data = DATA,
) -> None:
    """Be a UCI engine that plays as a bot does, for any chess program.  Nothing is proven."""
    from server.cli_uci import run_uci

    run_uci(bot, data=data, say=say)


@app.command()
def protocol(
    out: Annotated[
        Path | None, typer.Option(help="Write asyncapi.json and schema.json there.")
    ] = None,
) -> None:
    """Print the protocol of the websocket as an AsyncAPI document."""
    from server.cli_protocol import run_protocol

    run_protocol(out)


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"{url!r} is no address such as http://127.0.0.1:8000")
    return url


@setup_app.command("dev")
def setup_dev(bot: Bot = "pawn", data: Data = DATA, as_json: AsJson = False) -> None:
    """Make a development key (some seconds) unless there is one.  Whoever makes it can forge."""
    from server.cli_prove import make_dev_key

    make_dev_key(bot, data=data, as_json=as_json, say=say)


@setup_app.command("srs")
def setup_srs(
    *,
    source: Annotated[
        Path, typer.Option("--from", help="halo2's .srs, or snarkjs' .ptau.", metavar="FILE")
    ],
    logrows: Annotated[
        list[int] | None, typer.Option(help="Only for 2^N rows, 14 to 17.", min=14, max=17)
    ] = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Use a setup made by others for the ezkl bots added from now on; all of it is checked."""
    from server.cli_srs import run_srs

    sizes = tuple(dict.fromkeys(logrows)) if logrows else None
    run_srs(source, sizes, data=data, as_json=as_json, say=say)


_PASS_ON: Final[dict[str, Any]] = {"allow_extra_args": True, "ignore_unknown_options": True}


@train_app.command("data", context_settings=_PASS_ON, add_help_option=False)
def train_data(context: typer.Context) -> None:
    """Label positions with Stockfish."""
    _train("data", context.args)


@train_app.command("net", context_settings=_PASS_ON, add_help_option=False)
def train_net(context: typer.Context) -> None:
    """Train a net on labelled positions."""
    _train("net", context.args)


@train_app.command("search", context_settings=_PASS_ON, add_help_option=False)
def train_search(context: typer.Context) -> None:
    """Train the candidates of the architecture search."""
    _train("search", context.args)


@train_app.command("plot", context_settings=_PASS_ON, add_help_option=False)
def train_plot(context: typer.Context) -> None:
    """Draw the nets that `bench nets` measured, or a training's curve."""
    _train("plot", context.args)


@train_app.command("quality", context_settings=_PASS_ON, add_help_option=False)
def train_quality(context: typer.Context) -> None:
    """Tell how often nets agree with Stockfish on labelled positions."""
    _train("quality", context.args)


@train_app.command("export", context_settings=_PASS_ON, add_help_option=False)
def train_export(context: typer.Context) -> None:
    """Write a house net, or a net file, as an ONNX file."""
    _train("export", context.args)


def _train(command: str, arguments: list[str]) -> None:
    try:
        from engine.train.__main__ import main as training
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        say("checkproof: training needs torch: pip install 'checkproof[train]'")
        raise typer.Exit(FAILURE) from None
    raise typer.Exit(training([command, *arguments]))
