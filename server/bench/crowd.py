"""Many spectators in a process of their own: `python -m server.bench.crowd HOST PORT GAME`.

Plain sockets and one poller, so that what is measured is the server and not its readers.  Told by
lines on stdin, answers each with a line of JSON on stdout:

    join N      N more that read                        {"sockets": all, "lost": closed by now}
    stall N     N more that never read                  the same
    mark        forget what came                        the same
    report      what came since      {"sockets", "lost", "frames", "bytes", "moves": {ply: [time]}}

Times are CLOCK_MONOTONIC seconds, which all processes of a machine share.  Ends with stdin.
"""

import base64
import json
import os
import re
import select
import socket
import struct
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from server.open_files import make_room

_CHUNK: Final = 256 * 1024
_SMALL_BUFFER: Final = 4096
_MOVE: Final = b'{"t":"move",'
_PLY: Final = re.compile(rb'"ply":(\d+)')
_TEXT: Final = 0x81
_PING: Final = 0x89
_HANDSHAKE_SECONDS: Final = 30


def frames_in(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """The whole server frames at the start of `data`: first byte, payload, where it ends."""
    at = 0
    while at + 2 <= len(data):
        size, start = data[at + 1] & 0x7F, at + 2
        if size >= 126:
            kind, more = ("!H", 2) if size == 126 else ("!Q", 8)
            if start + more > len(data):
                return
            (size,) = struct.unpack_from(kind, data, start)
            start += more
        if start + size > len(data):
            return
        yield data[at], data[start : start + size], start + size
        at = start + size


class Crowd:
    """Sockets to one game, and what came over them."""

    def __init__(self, host: str, port: int, game: str) -> None:
        self._where = (host, port)
        self._game = game
        self._poll = select.epoll()
        self._readers: dict[int, socket.socket] = {}
        self._stalled: list[socket.socket] = []
        self._rest: dict[int, bytes] = {}
        self.lost = 0
        self.forget()

    def forget(self) -> None:
        self.frames = self.bytes = 0
        self.moves: dict[int, list[float]] = defaultdict(list)

    def join(self) -> None:
        """One more that reads."""
        line, rest = self._connect(None)
        line.setblocking(False)
        self._readers[line.fileno()] = line
        self._rest[line.fileno()] = rest
        self._poll.register(line.fileno(), select.EPOLLIN)

    def stall(self) -> None:
        """One more that never reads, and has little room for what it does not."""
        self._stalled.append(self._connect(_SMALL_BUFFER)[0])

    def _connect(self, buffer: int | None) -> tuple[socket.socket, bytes]:
        line = socket.socket()
        if buffer is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        line.settimeout(_HANDSHAKE_SECONDS)
        line.connect(self._where)
        key = base64.b64encode(os.urandom(16)).decode()
        line.sendall(
            f"GET /ws?game={self._game} HTTP/1.1\r\nHost: {self._where[0]}:{self._where[1]}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        data = b""
        while b"\r\n\r\n" not in data:
            more = line.recv(1024)
            if not more:
                raise ConnectionError("the server closed a socket instead of taking it on")
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.split(b"\r\n")[0].decode(errors="replace"))
        return line, rest

    def read(self, seconds: float, others: tuple[int, ...] = ()) -> list[int]:
        """Read what comes within a time; first all that is there, and only then look at it.

        Which of the file descriptors `others` can be read.
        """
        ready = self._poll.poll(seconds)
        came: list[tuple[int, float, bytes]] = []
        found = []
        for number, _ in ready:
            if number in others:
                found.append(number)
                continue
            try:
                data = self._readers[number].recv(_CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            came.append((number, time.monotonic(), data))
        for number, at, data in came:
            self._take(number, at, data)
        return found

    def watch_for(self, number: int) -> None:
        self._poll.register(number, select.EPOLLIN)

    def _take(self, number: int, at: float, data: bytes) -> None:
        if not data:
            self._lose(number)
            return
        self.bytes += len(data)
        data = self._rest[number] + data
        end = 0
        for first, payload, end in frames_in(data):  # noqa: B007 the last one's end is used
            if first == _TEXT:
                self.frames += 1
                if payload.startswith(_MOVE) and (ply := _PLY.search(payload)):
                    self.moves[int(ply[1])].append(at)
            elif first == _PING:
                self._pong(number, payload)
        self._rest[number] = data[end:]

    def _pong(self, number: int, payload: bytes) -> None:
        head = bytes((0x8A, 0x80 | len(payload))) + bytes(4)  # masked with zeros
        self._readers[number].send(head + payload)

    def _lose(self, number: int) -> None:
        self._poll.unregister(number)
        self._readers.pop(number).close()
        del self._rest[number]
        self.lost += 1

    def __len__(self) -> int:
        return len(self._readers) + len(self._stalled)

    def state(self) -> dict[str, Any]:
        return {"sockets": len(self), "lost": self.lost}

    def report(self) -> dict[str, Any]:
        return self.state() | {"frames": self.frames, "bytes": self.bytes, "moves": self.moves}


def obey(crowd: Crowd, line: str) -> dict[str, Any]:
    """Carry out one line.  Raises ConnectionError, OSError."""
    word, _, number = line.partition(" ")
    match word:
        case "join" | "stall":
            make_room(len(crowd) + int(number))
            for _ in range(int(number)):
                crowd.join() if word == "join" else crowd.stall()
                crowd.read(0)
        case "mark":
            crowd.forget()
        case "report":
            return crowd.report()
        case _:
            raise ValueError(line)
    return crowd.state()


def main(host: str, port: str, game: str) -> None:
    crowd = Crowd(host, int(port), game)
    told = sys.stdin.fileno()
    crowd.watch_for(told)
    buffer = b""
    while True:
        if told not in crowd.read(1.0, (told,)):
            continue
        data = os.read(told, 4096)
        if not data:
            return
        *lines, buffer = (buffer + data).split(b"\n")
        for line in lines:
            print(json.dumps(obey(crowd, line.decode())), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
