"""The page's files: compressed for who takes that, and sent once."""

import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.server.conftest import Served

SCRIPT = "export const answer = 42;\n" * 200


@pytest.fixture
async def page(served: Served, tmp_path: Path) -> Path:
    (tmp_path / "js").mkdir()
    (tmp_path / "img").mkdir()
    (tmp_path / "js" / "a.js").write_text(SCRIPT)
    (tmp_path / "js" / "tiny.js").write_text("1")
    (tmp_path / "img" / "a.png").write_bytes(bytes(5000))
    served.site.page = tmp_path
    return tmp_path


@pytest.fixture
async def http(served: Served, page: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url, auto_decompress=False) as session:
        yield session


@pytest.mark.parametrize("accepts", ["gzip", "br, gzip;q=0.5", "GZIP", "*"])
async def test_text_is_compressed_for_who_takes_it(
    http: aiohttp.ClientSession, accepts: str
) -> None:
    async with http.get("/web/js/a.js", headers={"Accept-Encoding": accepts}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Vary"] == "Accept-Encoding"
        assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
        body = await response.read()
    assert len(body) < len(SCRIPT) / 10
    assert gzip.decompress(body).decode() == SCRIPT


@pytest.mark.parametrize("accepts", ["identity", "gzip;q=0", "gzip; q=0.0", "br"])
async def test_who_does_not_take_gzip_gets_none(http: aiohttp.ClientSession, accepts: str) -> None:
    async with http.get("/web/js/a.js", headers={"Accept-Encoding": accepts}) as response:
        assert "Content-Encoding" not in response.headers
        assert await response.text() == SCRIPT


@pytest.mark.parametrize("name", ["img/a.png", "js/tiny.js"])
async def test_what_does_not_shrink_is_sent_as_it_is(
    http: aiohttp.ClientSession, name: str, page: Path
) -> None:
    async with http.get(f"/web/{name}", headers={"Accept-Encoding": "gzip"}) as response:
        assert "Content-Encoding" not in response.headers
        assert await response.read() == (page / name).read_bytes()


async def test_who_has_a_file_is_told_so_until_it_changes(
    http: aiohttp.ClientSession, page: Path
) -> None:
    async with http.get("/web/js/a.js") as response:
        tag = response.headers["ETag"]
    known = {"If-None-Match": tag}
    async with http.get("/web/js/a.js", headers=known) as response:
        assert response.status == 304
        assert await response.read() == b""
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    file = page / "js" / "a.js"
    file.write_text("export const answer = 43;\n")
    os.utime(file, ns=(1, 1))
    async with http.get("/web/js/a.js", headers=known) as response:
        assert response.status == 200
        assert "43" in (await response.read()).decode()
