"""What `checkproof purse` finds on the chain, and how it shows it.

    {"format": "checkproof-purse/1", "chainId", "purse", "arena", "bots": [{"bot", "name", "owner",
     "fee", "perPlayer", "perDay", "balance", "paidToday"}], "owed": {payee: sum}}

Sums are wei as texts of digits: they may not fit a number of JavaScript's.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from proofs.purse import Account, Purse, Terms
from proofs.records import BotVersion
from server.cli_out import console, print_json, table
from server.cli_source import Where, open_chain
from server.errors import NoSuchVersion
from server.house import bot_name
from server.money import shown

FORMAT: Final = "checkproof-purse/1"
_EMPTY: Final = Account(Terms(0, 0, 0), 0, 0)
_ID: Final = re.compile(r"(?:0x)?([0-9a-f]{4,64})")


def version_of(bots: Sequence[BotVersion], asked: str) -> BotVersion:
    """The one bot of a name, or whose id begins so.  Raises NoSuchVersion.

    Anyone may register any name: where several bots have it, only an id will do.
    """
    found = [bot for bot in bots if bot_name(bot.metadata) == asked]
    match = _ID.fullmatch(asked.lower())
    if not found and match is not None:
        found = [bot for bot in bots if bot.id.hex().startswith(match[1])]
    if len(found) != 1:
        raise NoSuchVersion(asked, ["0x" + bot.id.hex() for bot in found])
    return found[0]


def run_show(
    where: Where, address: str, payee: str | None, *, as_json: bool, say: Callable[[str], None]
) -> None:
    """Print what the purses of an arena's bots hold.  Raises ProofError."""

    async def run() -> dict[str, Any]:
        async with open_chain(where, say) as chain:
            purse = await Purse.at(chain, address)
            bots = [(bot, await purse.account(bot.id)) for bot in await chain.bots()]
            return {
                "format": FORMAT,
                "chainId": chain.chain_id,
                "purse": purse.address,
                "arena": chain.addresses.arena,
                "bots": [_told(bot, its) for bot, its in bots if its != _EMPTY],
                "owed": {} if payee is None else {payee: str(await purse.owed(payee))},
            }

    told = asyncio.run(run())
    if as_json:
        print_json(told)
        return
    columns = ("bot", "name", "a move", "a day, one side", "a day", "in the purse", "paid today")
    if told["bots"]:
        console().print(table(columns, map(_row, told["bots"])))
    else:
        say("no bot pays here, and none has money here")
    for who, owed in told["owed"].items():
        print(f"{shown(int(owed))} owed to {who}")


def _told(bot: BotVersion, its: Account) -> dict[str, str]:
    return {
        "bot": "0x" + bot.id.hex(),
        "name": bot_name(bot.metadata),
        "owner": bot.owner,
        "fee": str(its.terms.fee),
        "perPlayer": str(its.terms.per_player),
        "perDay": str(its.terms.per_day),
        "balance": str(its.balance),
        "paidToday": str(its.paid_today),
    }


def _row(told: dict[str, str]) -> tuple[str, ...]:
    sums = ("fee", "perPlayer", "perDay", "balance", "paidToday")
    return (told["bot"][:10], told["name"], *(shown(int(told[name])) for name in sums))
