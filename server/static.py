"""The page's files as they travel: compressed once, and not at all when the browser has them.

A file is read again when its time or size changed, so that who works on the page sees the latest.
"""

import asyncio
import gzip
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import ETag, hdrs, web

TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_PACKED: Final = frozenset({".ico", ".png", ".webp", ".woff2"})  # these shrink no further
_LARGEST_KEPT: Final = 2 * 1024 * 1024
_MOST_KEPT: Final = 256
_LEVEL: Final = 9


@dataclass(frozen=True)
class _Kept:
    """`packed` is None where compressing gains nothing."""

    stamp: tuple[int, int]
    body: bytes
    packed: bytes | None
    tag: str


class Files:
    """A bounded memory of small files, whole and compressed."""

    def __init__(self) -> None:
        self._kept: dict[Path, _Kept] = {}

    async def response(self, request: web.Request, path: Path) -> web.StreamResponse:
        """The file with its type and tag; gzip for who takes it, 304 for who has it.

        Raises OSError when it cannot be read.
        """
        status = os.stat(path)
        headers = {hdrs.CONTENT_TYPE: _type(path), hdrs.CACHE_CONTROL: "no-cache"}
        if status.st_size > _LARGEST_KEPT:
            return web.FileResponse(path, headers=headers)
        kept = self._kept.get(path)
        stamp = (status.st_mtime_ns, status.st_size)
        if kept is None or kept.stamp != stamp:
            kept = await asyncio.to_thread(_read, path, stamp)
            self._keep(path, kept)
        headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        if _has(request, kept.tag):
            response = web.Response(status=304, headers=headers)
        elif kept.packed is not None and _takes_gzip(request):
            response = web.Response(
                body=kept.packed, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"}
            )
        else:
            response = web.Response(body=kept.body, headers=headers)
        # weak: the two forms are the same file, not the same bytes (RFC 9110, 8.8.1)
        response.etag = ETag(kept.tag, is_weak=True)
        return response

    def _keep(self, path: Path, kept: _Kept) -> None:
        self._kept.pop(path, None)
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[path] = kept


def _read(path: Path, stamp: tuple[int, int]) -> _Kept:
    body = path.read_bytes()
    # no time in the header: the same file gives the same bytes
    packed = None if path.suffix in _PACKED else gzip.compress(body, _LEVEL, mtime=0)
    if packed is not None and len(packed) >= len(body):
        packed = None
    return _Kept(stamp, body, packed, hashlib.sha256(body).hexdigest()[:16])


def _type(path: Path) -> str:
    kind = TYPES[path.suffix]
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _has(request: web.Request, tag: str) -> bool:
    return any(known.value in (tag, "*") for known in request.if_none_match or ())


def _takes_gzip(request: web.Request) -> bool:
    """Whether gzip is named with a weight that is not zero (RFC 9110, 12.5.3)."""
    for part in request.headers.get(hdrs.ACCEPT_ENCODING, "").split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "").rstrip("0.") != "q="
    return False
