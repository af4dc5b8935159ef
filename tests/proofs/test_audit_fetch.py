"""Files fetched for an audit, from servers that are honest, broken, or lie."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from proofs import audit_fetch
from proofs.audit import audit
from proofs.audit_ezkl import OnnxBots, onnx_bots
from proofs.audit_fetch import FileServer
from proofs.audit_report import INCOMPLETE, VERIFIED
from proofs.errors import FileNotFetched
from tests.proofs.test_audit_ezkl import NET, SETUP, Played, played, undecided

__all__ = ["played"]

KEY = "ab" * 32


class Server:
    """Answers what is at a path of `pages`; 404 else."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                body = server.pages.get(self.path)
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def offer(self, key: str, net: bytes, setup: bytes) -> None:
        """Have a bot's files, as an arena has them."""
        files = {}
        for name, content in (("net.onnx", net), ("srs", setup)):
            digest = sha256(content).hexdigest()
            files[name] = {"sha256": digest, "url": f"/files/{digest}"}
            self.pages[f"/files/{digest}"] = content
        self.pages[f"/keys/{key}"] = json.dumps({"files": files}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_files_come_once_and_are_kept_by_their_hash(server: Server, tmp_path: Path) -> None:
    server.offer(KEY, b"net", b"setup")
    files = FileServer(server.url + "/", tmp_path)
    net, setup = files.files_of(KEY)
    assert (net.read_bytes(), setup.read_bytes()) == (b"net", b"setup")
    assert {net.name, setup.name} == {sha256(b"net").hexdigest(), sha256(b"setup").hexdigest()}
    FileServer(server.url, tmp_path).files_of(KEY)
    assert len([path for path in server.asked if path.startswith("/files/")]) == 2


def test_another_file_than_named_is_not_kept(server: Server, tmp_path: Path) -> None:
    server.offer(KEY, b"net", b"setup")
    server.pages["/files/" + sha256(b"net").hexdigest()] = b"another net"
    with pytest.raises(FileNotFetched, match="another hash"):
        FileServer(server.url, tmp_path).files_of(KEY)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"{}",
        b'{"files": {"srs": {}}}',
        b'{"files": {"net.onnx": {"sha256": "../../etc/passwd"}, "srs": {"sha256": ""}}}',
        b"[" * 100_000,
    ],
)
def test_answers_without_sense_are_one_clear_line(
    server: Server, tmp_path: Path, answer: bytes
) -> None:
    server.pages[f"/keys/{KEY}"] = answer
    with pytest.raises(FileNotFetched, match="did not send a file") as refused:
        FileServer(server.url, tmp_path).files_of(KEY)
    assert "\n" not in str(refused.value)


def test_no_server_and_too_much_of_one(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFetched, match="404"):
        FileServer(server.url, tmp_path).files_of(KEY)
    monkeypatch.setattr(audit_fetch, "LARGEST_BYTES", 2)
    server.offer(KEY, b"net", b"setup")
    with pytest.raises(FileNotFetched, match="too large"):
        FileServer(server.url, tmp_path).files_of(KEY)
    server.close()
    with pytest.raises(FileNotFetched, match="refused"):
        FileServer(server.url, tmp_path).files_of(KEY)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 \x1b[2Jno\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\ncut",
    ],
)
def test_a_server_that_speaks_no_http_is_one_clear_line(tmp_path: Path, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def talk() -> None:
            peer = listening.accept()[0]
            with peer:
                peer.recv(1 << 16)
                peer.sendall(answer)

        thread = threading.Thread(target=talk)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(FileNotFetched, match="did not send a file") as refused:
            FileServer(url, tmp_path).fetch(KEY)
        thread.join()
    assert str(refused.value).isprintable()


def test_a_server_that_dawdles_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_fetch, "LONGEST_SECONDS", 0.05)
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def dawdle() -> None:
            peer = listening.accept()[0]
            with peer, suppress(OSError):
                peer.recv(1 << 16)
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while not left.wait(0.01):
                    peer.sendall(b"{")

        thread = threading.Thread(target=dawdle)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            with pytest.raises(FileNotFetched, match="takes too long"):
                FileServer(url, tmp_path).files_of(KEY)
        finally:
            left.set()
            thread.join()


def test_a_game_is_audited_with_a_servers_files(
    server: Server, played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (event,) = [e for e in played.record.events if e.name == "BotRegistered"]
    key = event.args["keyHash"][2:]
    said: list[str] = []

    def custom() -> OnnxBots:
        data = tmp_path / "data"
        return onnx_bots(data, server=server.url, codes=played.codes, say=said.append)

    without = custom()
    report = audit(played.record, judges=(without,), custom=without)
    assert report.exit_code == INCOMPLETE
    assert undecided(report)[0] == (None, "circuit")
    assert "did not send a file" in said[0]
    server.offer(key, NET.read_bytes(), SETUP.read_bytes())
    with_files = custom()
    report = audit(played.record, judges=(with_files,), custom=with_files)
    assert report.exit_code == VERIFIED
