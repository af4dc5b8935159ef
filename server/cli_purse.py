"""`checkproof purse`: a contract that pays whoever proves a bot's moves (proofs/purse.py).

deploy ─▶ terms (the bot's owner) ─▶ fund (anyone) ─▶ prove --game --purse ─▶ claim
"""

# ruff: noqa: PLC0415  what a command needs is imported when it runs

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli_options import DATA, ArenaAt, AsJson, Data, Rpc, say
from server.money import account, shown, wei

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proofs.purse import Purse
    from proofs.records import Receipt
    from server.cli_source import Where

app = typer.Typer(help="Fees for whoever proves a bot's moves.", no_args_is_help=True)

At = Annotated[
    str,
    typer.Option(
        envvar="CHECKPROOF_PURSE", help="The contract.", metavar="ADDRESS", parser=account
    ),
]
BotOf = Annotated[
    str, typer.Argument(help="A registered bot's name, id, or the id's first digits.")
]
Sum = Annotated[
    int, typer.Argument(help="Such as 1000 (wei), 20gwei, 0.01eth.", metavar="SUM", parser=wei)
]


@app.command()
def deploy(*, rpc: Rpc = None, arena: ArenaAt = None, data: Data = DATA) -> None:
    """Make a contract for the arena's bots and print its address.  It belongs to nobody."""
    from proofs.purse import Purse
    from server.cli_game import paying_chain

    async def run() -> str:
        async with paying_chain((data, rpc, arena)) as chain:
            return (await Purse.deploy(chain)).address

    print(asyncio.run(run()))


@app.command()
def fund(
    bot: BotOf,
    amount: Sum,
    *,
    purse: At,
    rpc: Rpc = None,
    arena: ArenaAt = None,
    data: Data = DATA,
) -> None:
    """Put money into a bot's purse.  The bot's owner may take it out again."""

    async def deposit(its: "Purse", found: bytes) -> "Receipt":
        return await its.deposit(found, amount)

    _send((data, rpc, arena), purse, bot, deposit)


@app.command()
def terms(
    bot: BotOf,
    *,
    fee: Annotated[int, typer.Option(help="For one move.", metavar="SUM", parser=wei)],
    per_player: Annotated[
        int,
        typer.Option(help="The most in a day against one side.", metavar="SUM", parser=wei),
    ],
    per_day: Annotated[int, typer.Option(help="The most in a day.", metavar="SUM", parser=wei)],
    purse: At,
    rpc: Rpc = None,
    arena: ArenaAt = None,
    data: Data = DATA,
) -> None:
    """Say what a bot of yours pays from now on."""
    from proofs.purse import MOST, Terms

    if max(fee, per_player, per_day) > MOST:
        raise typer.BadParameter(f"more than {shown(MOST)}")

    async def tell(its: "Purse", found: bytes) -> "Receipt":
        return await its.set_terms(found, Terms(fee, per_player, per_day))

    _send((data, rpc, arena), purse, bot, tell, by_owner=True)


@app.command()
def withdraw(
    bot: BotOf,
    amount: Sum,
    *,
    to: Annotated[str, typer.Option(help="Who gets it.", metavar="ADDRESS", parser=account)],
    purse: At,
    rpc: Rpc = None,
    arena: ArenaAt = None,
    data: Data = DATA,
) -> None:
    """Take money out of the purse of a bot of yours; what is owed to provers stays."""

    async def take(its: "Purse", found: bytes) -> "Receipt":
        return await its.withdraw(found, amount, to)

    _send((data, rpc, arena), purse, bot, take, by_owner=True)


@app.command()
def claim(
    *,
    payee: Annotated[
        str | None,
        typer.Option(help="Whose; else your own.", metavar="ADDRESS", parser=account),
    ] = None,
    purse: At,
    rpc: Rpc = None,
    arena: ArenaAt = None,
    data: Data = DATA,
) -> None:
    """Have what is owed to a prover sent to it."""
    from proofs.purse import Purse
    from server.cli_game import paying_chain

    async def run() -> "tuple[int, Receipt]":
        async with paying_chain((data, rpc, arena)) as chain:
            its = await Purse.at(chain, purse)
            owed = await its.owed(payee or chain.address)
            return owed, await its.claim(payee or chain.address)

    owed, receipt = asyncio.run(run())
    print(f"{shown(owed)} sent in {receipt.tx}, {receipt.gas:,} gas")


@app.command()
def show(
    *,
    payee: Annotated[
        str | None,
        typer.Option(help="Tell what is owed to it.", metavar="ADDRESS", parser=account),
    ] = None,
    purse: At,
    rpc: Rpc = None,
    arena: ArenaAt = None,
    data: Data = DATA,
    as_json: AsJson = False,
) -> None:
    """What the bots pay, what they have, and what they paid today."""
    from server.purses import run_show

    run_show((data, rpc, arena), purse, payee, as_json=as_json, say=say)


def _send(
    where: "Where",
    address: str,
    bot: str,
    act: "Callable[[Purse, bytes], Awaitable[Receipt]]",
    *,
    by_owner: bool = False,
) -> None:
    """Find the bot, act, and say what became of it.

    A bot's owner is, on a local chain, the account that its server pays from.
    """
    from proofs.purse import Purse
    from proofs.sender import LOCAL_KEY
    from server.cli_game import GUEST_KEY, paying_chain
    from server.purses import version_of

    async def run() -> "tuple[bytes, Receipt]":
        async with paying_chain(where, LOCAL_KEY if by_owner else GUEST_KEY) as chain:
            its = await Purse.at(chain, address)
            found = version_of(await chain.bots(), bot)
            return found.id, await act(its, found.id)

    found, receipt = asyncio.run(run())
    print(f"bot 0x{found.hex()}: landed in {receipt.tx}, {receipt.gas:,} gas")
