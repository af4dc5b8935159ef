"""`checkproof setup ceremony`: a key that several parties make, so that none of them can forge.

    begin ─▶ contribute ─▶ contribute ─▶ .. ─▶ beacon ─▶ verify, import

Each party takes the file of the one before, on a machine of its own, and passes its own file on.
"""

# ruff: noqa: PLC0415  what a command needs is imported when it runs

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli_options import DATA, AsJson, Bot, Data, say
from server.cli_out import print_json, printable

if TYPE_CHECKING:
    from proofs.ceremony import Transcript
    from proofs.zkey import Contribution

app = typer.Typer(help="A key made by several parties.", no_args_is_help=True)

Phase1 = Annotated[
    Path, typer.Option(help="Powers of tau, prepared for phase 2.", metavar="FILE.ptau")
]
Before = Annotated[Path, typer.Argument(help="The file of the one before.", metavar="BEFORE.zkey")]
Out = Annotated[Path, typer.Argument(help="The file to write.", metavar="OUT.zkey")]
Final_ = Annotated[Path, typer.Argument(help="The last file, a beacon's.", metavar="FINAL.zkey")]
Expect = Annotated[
    list[str] | None, typer.Option(help="A contribution's hash that must be in it.", metavar="HASH")
]


@app.command("begin")
def begin(out: Out, *, phase1: Phase1, bot: Bot = "pawn") -> None:
    """Make the first file for a house net's circuit.  It holds nobody's secret yet."""
    from proofs import ceremony

    with _circuit(bot) as circuit:
        say(f"making the first file for {bot} (minutes)")
        ceremony.begin(circuit, phase1, out)
    say(f"wrote {out}; the parties now contribute, one after the other")


@app.command("contribute")
def contribute(
    before: Before, out: Out, *, name: Annotated[str, typer.Option(help="Who you are.")]
) -> None:
    """Add a secret of this machine, which is forgotten at once.  Prints the hash to publish."""
    from proofs import ceremony

    print(ceremony.contribute(before, out, name).hash)
    say(f"wrote {out}; publish the hash above, and pass the file on")


@app.command("beacon")
def beacon(
    before: Before,
    out: Out,
    *,
    randomness: Annotated[
        str,
        typer.Option(help="Public and unknown before the last contribution, in hexadecimal."),
    ],
) -> None:
    """Close the ceremony with randomness that nobody could choose, such as a later block's hash."""
    from proofs import ceremony

    print(ceremony.beacon(before, out, randomness.removeprefix("0x")).hash)
    say(f"wrote {out}")


@app.command("verify")
def verify(
    final: Final_,
    *,
    phase1: Phase1,
    bot: Bot = "pawn",
    expect: Expect = None,
    as_json: AsJson = False,
) -> None:
    """Check contributions, phase 1 and that the circuit is the net's.  Exit code 3: broken."""
    from proofs.errors import CeremonyBroken

    try:
        transcript = _verified(final, phase1, bot, expect)
    except CeremonyBroken as error:
        say(printable(f"checkproof: {error}"))
        raise typer.Exit(3) from None
    _show(transcript, as_json)


@app.command("import")
def import_(
    final: Final_,
    *,
    phase1: Phase1,
    bot: Bot = "pawn",
    expect: Expect = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """Verify, and keep the key: `serve` registers it, with the hash of the transcript."""
    from engine.net import house_net
    from proofs.keys import KeyStore

    transcript = _verified(final, phase1, bot, expect)
    record = KeyStore(data / "keys").add_ceremony(house_net(bot), final, transcript)
    _show(transcript, as_json)
    say(f"kept in {record.proving_key.parent}")


def _verified(final: Path, phase1: Path, bot: str, expect: list[str] | None) -> "Transcript":
    from proofs import ceremony

    with _circuit(bot) as circuit:
        return ceremony.verify(circuit, phase1, final, expected=expect or (), tell=say)


@contextmanager
def _circuit(bot: str) -> Iterator[Path]:
    """The circuit of a house net, compiled now, as a file."""
    from engine.net import house_net
    from proofs.circuit import compile_circuit

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{bot}.r1cs"
        path.write_bytes(compile_circuit(house_net(bot)).r1cs_bytes)
        yield path


def _show(transcript: "Transcript", as_json: bool) -> None:
    if as_json:
        print_json({**asdict(transcript), "transcript": transcript.hash})
        return
    for number, party in enumerate(transcript.contributions, 1):
        print(f"{number}  {party.hash}  {printable(_name(party))}")
    print(f"key {transcript.key}")
    print(f"transcript {transcript.hash}")


def _name(party: "Contribution") -> str:
    if party.beacon is None:
        return party.name
    return f"beacon {party.beacon}, hashed 2^{party.exponent} times"
