"""What the server says about itself: lines for people, or one JSON object a line.

    text   game begun (game 0x3f2a91…, bot pawn)
    json   {"time": "2026-01-31T12:00:00.123Z", "level": "info", "event": "game begun",
            "game": "0x…64 digits", "bot": "pawn"}

Everything goes to stderr.  Whatever still uses the standard library's loggers comes out the same
way.  What is secret is replaced in every line, and so is what only fills it: signatures, proofs.

    set_up(kind, level, hidden)   once at start
    logger(name)                  .info("game begun", game=..., bot=...)
"""

import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Kind = Literal["text", "json"]

_LONG_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F]{65,}")
"""Longer than any hash: a signature, a proof, a transaction's bytes."""
_BYTES: Final = re.compile(r"""b(?P<quote>['"])(?:\\.|(?!(?P=quote)).)*(?P=quote)""")
_SHORT: Final = re.compile(r"0x[0-9a-fA-F]{12,}")
_HASH: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_PREFIXES: Final = {"warning": "warning: ", "error": "error: ", "critical": "error: "}


def set_up(
    kind: Kind,
    level: str = "info",
    *,
    hidden: Mapping[str, str] | None = None,
    stream: TextIO | None = None,
) -> None:
    """Send all that is logged from now on to `stream`, stderr if None.

    `hidden` maps secrets to what is written in their place.  Other libraries are heard from
    warnings on.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _stamp,
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _Scrubber(hidden or {}),
        structlog.processors.JSONRenderer(default=str) if kind == "json" else _for_people,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=shared)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, _number(level)))
    for ours in ("server", "proofs", "engine"):
        logging.getLogger(ours).setLevel(_number(level))


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose keywords become fields of the line."""
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return found


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    event["time"] = now.replace("+00:00", "Z")
    return event


class _Scrubber:
    """Takes out of every string what nobody should read in a log."""

    def __init__(self, hidden: Mapping[str, str]) -> None:
        # the longest first, lest a part of it is replaced before
        self._hidden = sorted(hidden.items(), key=lambda pair: -len(pair[0]))

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        first = {name: event.pop(name, None) for name in ("time", "level", "event")}
        return {name: self._clean(value) for name, value in (*first.items(), *event.items())}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, int | float | None):
            return value
        text = str(value)
        for secret, instead in self._hidden:
            if secret:
                text = text.replace(secret, instead)
        text = _LONG_HEX.sub(lambda found: found.group()[:10] + "…", text)
        return _BYTES.sub("(bytes)", text)


def _for_people(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """The event, then what it is about in brackets; long hashes are cut short."""
    told, level = str(event.pop("event")), str(event.pop("level", "info"))
    event.pop("time", None)
    trace = event.pop("exception", None)
    about = ", ".join(f"{k} {v}" for k, v in event.items() if v is not None)
    line = _PREFIXES.get(level, "") + _HASH.sub(_cut, " ".join(told.split()))
    if about:
        line += f" ({_SHORT.sub(_cut, about)})"
    return line if trace is None else f"{line}\n{trace}"


def _cut(found: re.Match[str]) -> str:
    return found.group()[:8] + "…"


# At import, so that nothing is ever logged in structlog's own way, which is to print to stdout.
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_log_level,
        _stamp,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
