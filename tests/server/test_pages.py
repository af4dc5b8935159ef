"""The page, the API, the stream and the keys over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from proofs.signing import Resign
from server import pages
from server.client import Client
from server.site import KeyFiles
from tests.server.conftest import Served
from tests.server.fakes import BOT, DOMAIN
from tests.server.test_session import E4

HASH = "ab" * 32


@pytest.fixture
async def http(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url) as session:
        yield session


@pytest.mark.parametrize("path", ["/", "/game/0x00", "/watch/0x00"])
async def test_the_page_is_served_with_strict_headers(
    http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(path) as response:
        assert response.status == 200
        assert response.content_type == "text/html"
        headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


async def test_the_pages_files_have_their_types(http: aiohttp.ClientSession) -> None:
    for path, kind in (("js/dom.js", "text/javascript"), ("css/base.css", "text/css")):
        async with http.get(f"/web/{path}") as response:
            assert response.status == 200
            assert response.content_type == kind
            assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/web/",
        "/web/js",
        "/web/js/",
        "/web/package.json",
        "/web/index.html",
        "/web/node_modules/typescript/package.json",
        "/web/js/../package.json",
        "/web/js/%2e%2e/package.json",
        "/web/%2e%2e/pyproject.toml",
        "/web/..%2fpyproject.toml",
        "/web//etc/passwd",
        "/web/js/none.js",
        "/web/js/%00.js",
        "/nothing",
    ],
)
async def test_nothing_else_is_served(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(URL(path, encoded=True)) as response:
        assert response.status == 404


async def test_links_do_not_lead_out(served: Served, tmp_path: Path) -> None:
    (tmp_path / "page" / "js").mkdir(parents=True)
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "page" / "js" / "link.js").symlink_to(tmp_path / "secret.js")
    (tmp_path / "page" / "js" / ".hidden.js").write_text("hidden")
    served.site.page = tmp_path / "page"
    async with aiohttp.ClientSession(served.url) as http:
        for name in ("link.js", ".hidden.js"):
            async with http.get(f"/web/js/{name}") as response:
                assert response.status == 404


async def test_the_config_names_chain_and_bots(served: Served, http: aiohttp.ClientSession) -> None:
    async with http.get("/api/config") as response:
        config = await response.json()
    assert set(config) == {
        "name", "version", "chainId", "arena", "registry", "rpcUrl", "clocks", "graceSeconds",
        "payee", "bots",
    }  # fmt: skip
    bot = next(b for b in config["bots"] if b["version"] == "0x" + BOT.hex())
    assert set(bot) == {
        "name", "version", "netHash", "circuitHash", "keyHash", "setup", "custom", "constraints",
        "proveSeconds", "verifier", "proofSystem", "trust", "gas", "ready",
        "step", "expectSeconds",
    }  # fmt: skip
    assert (bot["proveSeconds"], bot["gas"], bot["ready"]) == (None, None, True)
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
    async with http.get("/api/config") as response:
        bots = {b["version"]: b for b in (await response.json())["bots"]}
    assert bots["0x" + BOT.hex()]["proveSeconds"] == 1.5


async def test_games_are_listed_and_shown(served: Served, http: aiohttp.ClientSession) -> None:
    first, second = await served.open(), await served.open(nonce=1)
    async with http.get("/api/games") as response:
        listed = await response.json()
    assert [game["game"] for game in listed] == [second, first]
    assert {"white", "black", "status", "result", "plies"} <= set(listed[0])
    async with http.get(f"/api/games/{first}") as response:
        shown = await response.json()
    assert shown["game"] == first
    assert shown["white"] == {"kind": "player", "address": served.player.address}
    for wrong in ("0x" + "00" * 32, "nonsense"):
        async with http.get(f"/api/games/{wrong}") as response:
            assert response.status == 404
            assert (await response.json())["error"]["code"] == "unknown_game"


async def test_a_stream_ends_with_its_reader_though_nothing_happens(
    served: Served, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "GONE_SECONDS", 0.05)
    game = await served.open()
    async with http.get(f"/api/games/{game}/stream") as stream:
        while json.loads(await stream.content.readline())["t"] != "spectators":
            pass
        assert served.site.streams == 1
    async with asyncio.timeout(20):
        while served.site.streams:  # noqa: ASYNC110 the reader is told nothing more
            await asyncio.sleep(0.01)


async def test_the_stream_brings_the_frames_until_the_end(
    served: Served, http: aiohttp.ClientSession
) -> None:
    game = await served.open(base=60)
    async with (
        http.get(f"/api/games/{game}/stream") as stream,
        await Client.connect(served.url, game=game) as client,
    ):
        assert stream.content_type == "application/x-ndjson"
        first = json.loads(await stream.content.readline())
        assert first["t"] == "full"
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
        await client.resign(Resign(bytes.fromhex(game[2:])).sign(DOMAIN, served.player.key))
        frames = [json.loads(line) async for line in stream.content]
    assert frames[-1]["t"] == "end"
    assert [f["v"] for f in frames] == list(range(first["v"] + 1, first["v"] + 1 + len(frames)))
    async with http.get(f"/api/games/{game}/stream") as stream:
        (only,) = [json.loads(line) async for line in stream.content]
        assert only["d"]["status"] == "ended"


async def test_an_arena_that_warms_up_says_so(served: Served, http: aiohttp.ClientSession) -> None:
    served.site.arena, served.site.warming = None, "making <a> key"
    async with http.get("/") as response:
        assert response.status == 503
        text = await response.text()
        assert "making &lt;a&gt; key" in text
        assert "refresh" in text
    for path in ("/api/config", "/api/games", "/healthz", "/ws"):
        async with http.get(path) as response:
            assert response.status == 503
    async with http.get("/web/js/dom.js") as response:
        assert response.status == 200


async def test_keys_are_served_by_hash(
    served: Served, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    proving = tmp_path / "proving_key.bin"
    proving.write_bytes(b"pk" * 100)
    key = KeyFiles(HASH, "cd" * 32, "development", b"vk", proving)
    served.site.find_key = {HASH: key}.get
    for name in (HASH, "0x" + HASH.upper()):
        async with http.get(f"/keys/{name}") as response:
            shown = await response.json()
        assert shown["keyHash"] == HASH
        assert shown["setup"] == "development"
        assert shown["verifyingKey"] == "0x" + b"vk".hex()
    async with http.get(shown["verifyingKeyFile"]) as response:
        assert await response.read() == b"vk"
    async with http.get(shown["provingKeyFile"]) as response:
        assert await response.read() == b"pk" * 100
        assert "attachment" in response.headers["Content-Disposition"]
    for name in ("00" * 32, "zz" * 32, "ab"):
        async with http.get(f"/keys/{name}") as response:
            assert response.status == 404


async def test_the_schema_is_published(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/schema") as response:
        assert set(await response.json()) == {"client", "server"}
