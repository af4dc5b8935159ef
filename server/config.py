"""What an operator chooses, the data folder that one server holds, and the port it gets."""

import errno
import fcntl
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from server.errors import CannotListen, DataFolderBusy, NoFreePort

PORT_TRIES: Final = 50
_NEXT_MAY_DO: Final = (errno.EADDRINUSE, errno.EACCES)
_ENVIRONMENT: Final = {
    "data": "CHECKPROOF_DATA",
    "port": "CHECKPROOF_PORT",
    "rpc": "CHECKPROOF_RPC",
    "key": "CHECKPROOF_KEY",
}
# As a browser spells it: in small letters, no path, not even a slash.
_ORIGIN: Final = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")


@dataclass(frozen=True)
class Config:
    """Settings of `checkproof serve`.

    `rpc` None starts a local chain in the data folder; `key` is the relayer's private key, which
    any other chain needs.  `origins` are further pages that may use the socket, `bots` the house
    nets that play here.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    data: Path = Path("data")
    rpc: str | None = None
    key: str | None = None
    workers: int = 1
    bots: tuple[str, ...] = ("pawn",)
    origins: tuple[str, ...] = ()

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ, **chosen: Any) -> Self:
        """What was chosen, then what the environment says, then the defaults.

        A choice of None counts as none, a bot named twice as once.  Raises ValueError for a port
        that is no number and for an origin that no browser would name.
        """
        found: dict[str, Any] = {
            name: environment[variable]
            for name, variable in _ENVIRONMENT.items()
            if environment.get(variable)
        }
        found |= {name: value for name, value in chosen.items() if value is not None}
        if "port" in found:
            found["port"] = int(found["port"])
        if "data" in found:
            found["data"] = Path(found["data"])
        if "bots" in found:
            found["bots"] = tuple(dict.fromkeys(found["bots"]))
        for origin in found.get("origins", ()):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin, such as https://chess.example")
        return cls(**found)


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Hold a data folder alone.  Raises DataFolderBusy while another process does.

    The system releases it when the process ends, however it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataFolderBusy(folder.resolve()) from None
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on `port`, or on the next free one.  Raises NoFreePort, CannotListen."""
    last = min(port + PORT_TRIES - 1, 65535)
    for candidate in range(port, last + 1):
        try:
            return socket.create_server((host, candidate), backlog=256)
        except OSError as error:
            if error.errno not in _NEXT_MAY_DO:
                raise CannotListen(host, error.strerror or str(error)) from None
    raise NoFreePort(host, port, last)
