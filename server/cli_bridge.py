"""`checkproof bridge`: an arena as Lichess's Bot API, on this machine alone."""

import asyncio
import os
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
from server.key_file import read_keys

HOST: Final = "127.0.0.1"

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
        keys = read_keys(file)
    except FileNotFoundError:
        return _make_key(file), True
    if len(keys) > 1:
        raise BadKeyFile(file, "it holds more than one")
    return keys[0], False


def _make_key(file: Path) -> PrivateKey:
    key = PrivateKey(secrets.token_bytes(32))
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(key.secret.hex() + "\n")
    return key


def token_of(key: PrivateKey) -> str:
    """The same for the same key, so that a bot program's settings last; tells nothing of it."""
    return "cp_" + keccak(b"checkproof bridge token" + key.secret).hex()[:40]
