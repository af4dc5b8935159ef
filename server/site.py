"""What the HTTP handlers share, and what is checked of every request."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from server.arena import Arena
from server.gas_seen import GasSeen
from server.guests import Guests
from server.health import Vitals
from server.info import ArenaInfo
from server.metrics import Metrics

_LOCAL_HOSTS: Final = ("127.0.0.1", "localhost")
_CHECKER: Final = "/web/js/verify_worker.js"
_EMBEDDED: Final = "/embed/"
_FILES: Final = "/web/"
# What no browser takes for a document, and what runs only inside one: the page's policy holds for
# it. A page loads dozens, so headers about documents, or about secrets, are left out: these texts
# are public. Pictures that may hold scripts (SVG) are documents when somebody opens them.
_PARTS: Final = frozenset({"text/javascript", "text/css", "image/png", "image/webp", "font/woff2"})
# The page itself speaks to its own server alone. A proof is checked by a worker, which sees neither
# the page nor its keys, and which may ask any chain endpoint that the user names: its policy is
# that of its own file. Plain http is for a node on the user's own machine.
_ENDPOINTS: Final = ("https:", "http://127.0.0.1:*", "http://localhost:*")


@dataclass(frozen=True)
class KeyFiles:
    """A proving and verifying key pair; hashes are hex without 0x.

    `files` are what else it takes to make them anew, by name, with the SHA-256 of each.
    """

    key_hash: str
    circuit_hash: str
    kind: str
    verifying_key: bytes
    proving_key: Path | None
    proof_system: str = "groth16"
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Site:
    """`arena` and `info` are None while the arena warms up; `warming` says at what it is.

    `is_closing` is set while it still answers, but takes nothing new.
    """

    page: Path
    origins: frozenset[str] = frozenset()
    max_sockets: int = 2000
    arena: Arena | None = None
    info: ArenaInfo | None = None
    warming: str = "starting"
    is_closing: bool = False
    find_key: Callable[[str], KeyFiles | None] = lambda _: None
    find_file: Callable[[str], Path | None] = lambda _: None
    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    streams: int = 0
    dropped: int = 0  # readers that were too slow
    guests: Guests = field(default_factory=Guests)
    vitals: Vitals = field(default_factory=Vitals)
    metrics: Metrics = field(default_factory=Metrics)
    gas: GasSeen = field(default_factory=GasSeen)

    @property
    def is_open(self) -> bool:
        """Whether games can be played here."""
        return self.arena is not None and not self.is_closing

    @property
    def is_full(self) -> bool:
        """Whether no more sockets and streams are taken on."""
        return len(self.sockets) + self.streams >= self.max_sockets


SITE: Final = web.AppKey("site", Site)


def local_origins(request: web.Request) -> list[str]:
    """The origins of this server's own page, by the address that the request came to."""
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return []
    address, port = name[:2]
    hosts = dict.fromkeys((*_LOCAL_HOSTS, f"[{address}]" if ":" in address else address))
    return [f"http://{host}:{port}" for host in hosts]


def is_allowed_origin(request: web.Request) -> bool:
    """Browsers always name their page's origin; who names none is no browser."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return origin in local_origins(request) or origin in request.app[SITE].origins


def offered(request: web.Request) -> list[str]:
    """The chain endpoint, for a page that was reached by this machine's own name.

    The local node's address is a secret: a page of another origin that knew it could write to the
    chain blindly. Such a page may lead its own name here, but then its name is the host.
    """
    info, host = request.app[SITE].info, f"http://{request.host}"
    if info is None or info.rpc_url is None or host not in local_origins(request):
        return []
    return [info.rpc_url]


def _policy(connect: Iterable[str], *, ancestors: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            " ".join(("connect-src 'self'", *connect)),
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {ancestors}",
        )
    )


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Strict by default: only our own scripts, no sniffing; only small boards may be embedded."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers.pop(hdrs.SERVER, None)  # names the versions that run here
    if not _is_part(request, response):
        _guard_document(request, headers)


def _is_part(request: web.Request, response: web.StreamResponse) -> bool:
    """Whether it is a file that only a page of ours makes something of.

    A worker is none: it has the policy that came with its own file.
    """
    is_file = request.path.startswith(_FILES) and request.path != _CHECKER
    return is_file and response.content_type in _PARTS


def _guard_document(request: web.Request, headers: MutableMapping[str, str]) -> None:
    is_embedded = request.path.startswith(_EMBEDDED)
    headers["Content-Security-Policy"] = _policy(
        _reached(request), ancestors="*" if is_embedded else "'none'"
    )
    if not is_embedded:
        headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def _reached(request: web.Request) -> list[str]:
    """What the file that is asked for may connect to, besides this server."""
    if request.path == _CHECKER:
        return [*_ENDPOINTS, *offered(request)]
    # 'self' covers the websocket only in newer browsers
    return ["ws" + origin.removeprefix("http") for origin in _own_origins(request)]


def _own_origins(request: web.Request) -> list[str]:
    return [*local_origins(request), *request.app[SITE].origins]
