"""`checkproof bridge`: an arena as Lichess's Bot API, on this machine alone."""

import asyncio
import os
import re
import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from coincurve import PrivateKey
from eth_utils.crypto import keccak

from server.bot_api import make_app
from server.bot_api_games import Bridge
from server.config import listen
from server.errors import BadKeyFile

HOST: Final = "127.0.0.1"
_KEY: Final = re.compile(r"(0x)?[0-9a-fA-F]{64}")

Say = Callable[[str], None]


def run_bridge(url: str, *, key_file: Path, port: int, say: Say) -> None:
    """Serve until told to stop.  Raises BadKeyFile, Unreachable, NotAnArena, NoFreePort."""
    key, is_new = load_key(key_file)
    if is_new:
        say(f"made a key in {key_file}: whoever has it plays and resigns your games")
    asyncio.run(_serve(url, key, port, say))


async def _serve(url: str, key: PrivateKey, port: int, say: Say) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bridge, token = Bridge(url, key), token_of(key)
    try:
        going = await bridge.open()
        runner = web.AppRunner(make_app(bridge, token), access_log=None, shutdown_timeout=2)
        await runner.setup()
        try:
            listener = listen(HOST, port)
            await web.SockSite(runner, listener).start()
            say(f"playing at {url} as {bridge.address}; {going} games go on")
            print(f"Bridge ready at http://{HOST}:{listener.getsockname()[1]}", flush=True)
            print(f"Token {token}", flush=True)
            await stop.wait()
        finally:
            await runner.cleanup()
    finally:
        await bridge.close()


def load_key(file: Path) -> tuple[PrivateKey, bool]:
    """The key in a file, and whether it was made just now.  Raises BadKeyFile."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return _make_key(file), True
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeyFile(file, str(error)) from None
    if not _KEY.fullmatch(text):
        raise BadKeyFile(file, "it is to hold 32 bytes in hex")
    try:
        return PrivateKey(bytes.fromhex(text.removeprefix("0x"))), False
    except ValueError:
        raise BadKeyFile(file, "the number in it is no private key") from None


def _make_key(file: Path) -> PrivateKey:
    key = PrivateKey(secrets.token_bytes(32))
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(key.secret.hex() + "\n")
    return key


def token_of(key: PrivateKey) -> str:
    """The same for the same key, so that a bot program's settings last; tells nothing of it."""
    return "cp_" + keccak(b"checkproof bridge token" + key.secret).hex()[:40]
