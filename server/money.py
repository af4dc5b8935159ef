"""Sums and accounts as people write them on a command line.

Raises typer.BadParameter, so that these can be an option's parser.
"""

import re
from typing import Final

import typer

_UNITS: Final = {"": 0, "wei": 0, "gwei": 9, "eth": 18}
_SUM: Final = re.compile(r"(\d{1,27})(?:\.(\d{1,18}))? ?(|wei|gwei|eth)", re.ASCII)
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")


def wei(text: str) -> int:
    """The wei of "1000", "20 gwei" or "0.01eth"."""
    match = _SUM.fullmatch(text.strip().lower())
    whole, part, unit = match.groups("") if match is not None else ("", "", "")
    places = _UNITS[unit]
    if not whole or len(part.rstrip("0")) > places:
        raise typer.BadParameter(f"{text!r} is no sum such as 1000 (wei), 20gwei or 0.01eth")
    return int(whole + part[:places].ljust(places, "0"))


def shown(amount: int) -> str:
    """A sum of wei, exactly, in the unit that suits it."""
    for unit, places in (("ETH", 18), ("gwei", 9)):
        if amount >= 10 ** (places - 3):
            whole, part = divmod(amount, 10**places)
            return f"{whole}.{part:0{places}}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{amount} wei"


def account(text: str) -> str:
    """A lower-case address."""
    found = text.strip().lower()
    if not _ADDRESS.fullmatch(found):
        raise typer.BadParameter(f"{text!r} is no address of 40 hexadecimal digits after 0x")
    return found
