"""What `checkproof audit` takes, and which of it goes together."""

# ruff: noqa: PLC0415

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from server.audit_output import Form

Blocks = tuple[int, int | None]


def audit(
    *,
    game: Annotated[
        str | None, typer.Argument(help="A game's id, or its first digits.", metavar="GAME")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every game of the Arena.")] = False,
    span: Annotated[
        str | None,
        typer.Option(
            "--range", help="Games opened in these blocks; an end may be left out.", metavar="A..B"
        ),
    ] = None,
    rpc: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CHECKPROOF_RPC",
            help="A chain's RPC address; further ones are compared with the first.",
            metavar="URL",
        ),
    ] = None,
    arena: Annotated[
        str | None, typer.Option(help="The Arena's address there.", metavar="ADDRESS")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Write all that was read into one file.")
    ] = None,
    from_bundle: Annotated[
        Path | None, typer.Option(help="Read such a file; --rpc adds nodes to compare with.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Read the logs from a saved game.")] = None,
    save: Annotated[Path | None, typer.Option(help="Save the logs.")] = None,
    net: Annotated[
        list[Path] | None, typer.Option(help="A bot's net file, if it is no house net.")
    ] = None,
    srs: Annotated[
        list[Path] | None, typer.Option(help="The setup behind an ONNX bot's key.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="A server to fetch such files from, by their hashes.", metavar="URL"),
    ] = None,
    one_verifier: Annotated[
        bool, typer.Option("--one-verifier", help="Do without snarkjs, the second verifier.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Check this installation instead of a game.")
    ] = False,
    data: Annotated[
        Path, typer.Option(envvar="CHECKPROOF_DATA", help="The folder of keys and chain.")
    ] = Path("data"),
    html: Annotated[Path | None, typer.Option(help="Write a page with boards, too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    as_ndjson: Annotated[
        bool, typer.Option("--ndjson", help="For machines, a line for each thing found.")
    ] = False,
) -> None:
    """Check whole games again: chain, contracts, bots, and every signature, position and proof.

    Exit code 0: all verified; 1: the chain or a tool failed; 2: wrong usage or no saved game;
    3: a check failed, its ply and name are printed; 4: undecided, such as a proof still owed.
    A game in which the player is to move counts as verified as far as it goes.
    """
    if as_json and as_ndjson:
        raise typer.BadParameter("--json or --ndjson?")
    form: Form = "json" if as_json else "ndjson" if as_ndjson else "table"
    if release:
        from server.cli_release import run_release

        raise typer.Exit(run_release(as_json=as_json, say=_say))
    from server.cli_audit import Asked, run_audit

    nodes = tuple(rpc or ())
    _one_source(game, every, span, file, from_bundle)
    if file is not None and (arena or _typed("--rpc")):
        raise typer.BadParameter("a saved game is read without --rpc and --arena")
    offline = from_bundle is not None
    if offline and not _typed("--rpc"):
        nodes = ()  # set for other commands, maybe
    first = nodes[0] if nodes and not offline else None
    asked = Asked(
        game,
        (0, None) if every else None if span is None else blocks_of(span),
        file,
        from_bundle,
        (data, first, arena),
        further=nodes if offline else nodes[1:],
        save=save,
        bundle=bundle,
        html=html,
        form=form,
        nets=tuple(net or ()),
        setups=tuple(srs or ()),
        server=None if url is None else _http(url),
        one_verifier=one_verifier,
    )
    raise typer.Exit(run_audit(asked, say=_say))


def blocks_of(span: str) -> Blocks:
    """The blocks that A..B names.  Raises BadParameter."""
    match = re.fullmatch(r"(\d*)\.\.(\d*)", span)
    first, last = match.groups() if match is not None else ("", "")
    if not first and not last:
        raise typer.BadParameter(f"{span!r} is no range of blocks such as 100..200, 100.. or ..200")
    if first and last and int(first) > int(last):
        raise typer.BadParameter(f"the range {span} ends before it begins")
    return int(first or 0), int(last) if last else None


def _one_source(
    game: str | None, every: bool, span: str | None, file: Path | None, from_bundle: Path | None
) -> None:
    if sum((game is not None, every, span is not None)) > 1:
        raise typer.BadParameter("GAME, --all or --range?")
    if file is not None and (every or span or from_bundle):
        raise typer.BadParameter("a saved game is one game, read from its file alone")
    if from_bundle is not None and span is not None:
        raise typer.BadParameter("of a bundle, one GAME is audited, or all")
    if not (game or every or span or file or from_bundle):
        raise typer.BadParameter("which game?  Give GAME, --all, --range, --file or --from-bundle")


def _typed(option: str) -> bool:
    """Whether an option was given on the command line, and not by the environment."""
    return any(word == option or word.startswith(option + "=") for word in sys.argv)


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"{url!r} is no address such as http://127.0.0.1:8000")
    return url


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
