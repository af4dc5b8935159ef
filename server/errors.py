"""What can go wrong in the server.

ServerError
├── ClientError            the other side of a socket asked for something it cannot have
│   ├── FrameError         a frame that cannot be read
│   └── CommandRefused     a readable command that the game does not allow now
├── IllegalTransition      a ply was to go from one stage to another that does not follow it
├── DataFolderBusy         another server holds the data folder
├── NoFreePort             neither the port nor the next ones can be had
├── CannotListen           the host is none to listen on
├── PageMissing            the page's files are not where they should be
├── BadSetting             a setting that cannot be
├── StoreError             the file of games
│   ├── StoreTooNew        a later version of checkproof wrote it
│   ├── StoreBroken        it is damaged, or no such file
│   └── StoreFailed        it cannot be read or written now
├── BackupError            a data folder as one file
│   ├── BackupExists       there is something under that name already
│   ├── BackupFailed       it could not be made
│   ├── FolderNotEmpty     it is not restored over what is there
│   └── NotABackup         a file that is none, or that was changed
├── BadKeyFile             a player's key cannot be read
├── NotYourMove            a key wants to move where it cannot
├── NoSuchVersion          no bot on the chain, or more than one, is meant by a name
├── KeyMissing             a chain that is not ours needs a key of the operator's
├── KeyNotMade             a bot's development key could not be made
├── NotEnoughMemory        a bot's prover does not fit into this machine
├── HostFailed             a server that was started to be measured did not come up, or ended
└── ArenaError             an arena that we are a client of
    ├── Unreachable        none answers there, or it lets nobody in now
    ├── NotAnArena         something else answers, or one that speaks otherwise
    └── NoSuchGame         it does not know the game
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.messages import ErrorCode


class ServerError(Exception):
    """Base of all errors of this package; str() is one clear line for a person."""


class ClientError(ServerError):
    def __init__(self, code: "ErrorCode", message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class FrameError(ClientError):
    """`echo` is the frame's id where that much could be read."""

    def __init__(self, code: "ErrorCode", message: str, echo: int | str | None = None) -> None:
        super().__init__(code, message)
        self.echo = echo


class CommandRefused(ClientError):
    """A command was understood and refused; nothing changed."""


class IllegalTransition(ServerError):
    def __init__(self, what: str, before: str | None, after: str) -> None:
        super().__init__(f"{what} cannot go from {before or 'nothing'} to {after}")
        self.what = what
        self.before = before
        self.after = after


class BadSetting(ServerError, ValueError):
    """Names the setting and where it was found; never its value, which may be a secret."""


class DataFolderBusy(ServerError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"another checkproof server is using the data folder {folder}")
        self.folder = folder


class NoFreePort(ServerError):
    def __init__(self, host: str, first: int, last: int) -> None:
        super().__init__(f"no free port on {host} from {first} to {last}")
        self.host = host
        self.first = first
        self.last = last


class CannotListen(ServerError):
    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"cannot listen on {host}: {why}")
        self.host = host
        self.why = why


class PageMissing(ServerError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"the page's files are not in {folder}")
        self.folder = folder


class StoreError(ServerError):
    """Base of what can be wrong with the store at `path`."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(what)
        self.path = path


class StoreTooNew(StoreError):
    def __init__(self, path: Path, revision: str) -> None:
        super().__init__(
            path,
            f"{path} was written by a later version of checkproof (its tables are {revision}); "
            "use that one, or make the store again with `serve --rebuild`",
        )
        self.revision = revision


class StoreBroken(StoreError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            path,
            f"{path} cannot be read: {why}; make it again from the chain with `serve --rebuild`, "
            "or restore a backup",
        )
        self.why = why


class StoreFailed(StoreError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, f"the store {path} does not work: {why}")
        self.why = why


class BackupError(ServerError):
    """Base of what can go wrong with backups."""


class BackupExists(BackupError):
    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} is there already; nothing is written over")
        self.file = file


class BackupFailed(BackupError):
    def __init__(self, why: str) -> None:
        super().__init__(f"no backup was made: {why}")
        self.why = why


class FolderNotEmpty(BackupError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is not empty; a backup is restored into a new folder")
        self.folder = folder


class NotABackup(BackupError):
    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file} is not a sound backup: {why}")
        self.file = file
        self.why = why


class BadKeyFile(ServerError):
    """Never tells what is in the file."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"the key in {file} cannot be used: {why}")
        self.file = file
        self.why = why


class NotYourMove(ServerError):
    def __init__(self, why: str) -> None:
        super().__init__(f"this cannot be played: {why}")
        self.why = why


class NoSuchVersion(ServerError):
    def __init__(self, asked: str, found: list[str]) -> None:
        if found:
            why = f"{len(found)} bots are meant by {asked!r}: {', '.join(found)}; give an id"
        else:
            why = f"no bot on this chain is called {asked!r} or has such an id"
        super().__init__(why)
        self.asked = asked
        self.found = found


class KeyMissing(ServerError):
    def __init__(self, rpc: str) -> None:
        super().__init__(f"the chain at {rpc} needs the relayer's private key (CHECKPROOF_KEY)")
        self.rpc = rpc


class KeyNotMade(ServerError):
    def __init__(self, bot: str, status: int) -> None:
        super().__init__(f"making the development key of {bot} failed with status {status}")
        self.bot = bot
        self.status = status


class NotEnoughMemory(ServerError):
    """`needed` and `free` are bytes."""

    def __init__(self, bot: str, needed: int, free: int) -> None:
        super().__init__(
            f"the prover of {bot} needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f}"
            " GB are to be had (the setting memory_mb says how much provers may take)"
        )
        self.bot = bot
        self.needed = needed
        self.free = free


class HostFailed(ServerError):
    """`log` are the last lines that the server wrote."""

    def __init__(self, what: str, log: str) -> None:
        super().__init__(f"the server {what}" + (f": {log}" if log else ""))
        self.what = what
        self.log = log


class ArenaError(ServerError, ConnectionError):
    """A client's trouble with the arena at `url`."""

    def __init__(self, url: str, what: str) -> None:
        super().__init__(what)
        self.url = url


class Unreachable(ArenaError):
    def __init__(self, url: str, why: str | Exception) -> None:
        self.why = why if isinstance(why, str) else _reason(why)
        super().__init__(url, f"the arena at {url} cannot be reached: {self.why}")


class NotAnArena(ArenaError):
    def __init__(self, url: str, why: str) -> None:
        super().__init__(url, f"what answers at {url} is no arena of this version: {why}")
        self.why = why


class NoSuchGame(ArenaError):
    def __init__(self, url: str, game: str) -> None:
        super().__init__(url, f"no game {game} is at {url}")
        self.game = game


def _reason(error: Exception) -> str:
    """asyncio puts an address where the system's own words should be."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
