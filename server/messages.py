"""The frames of the websocket protocol: one closed union per direction, one parse.

Every frame is one JSON object.

    client  {"t": type, "id": echo, "d": data}       a command; `id` comes back in the answer
    server  {"t": type, "id": echo, "d": data}       the answer to a command
    server  {"t": type, "d": data, "v": version}     an event of a game; v counts up without gaps

Bytes are 0x-prefixed hex, seconds are numbers, an absent value is null. The JSON schema of both
unions is served under /api/schema.
"""

from typing import Annotated, Any, Literal, get_args

import chess
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from server.errors import FrameError

MAX_FRAME_BYTES = 16 * 1024


def _fits_256(text: str) -> str:
    if int(text) >= 1 << 256:
        raise ValueError("the number does not fit 256 bits")
    return text


Hex32 = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")]
HexAddress = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
HexSignature = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$")]
Uint16 = Annotated[int, Field(ge=0, lt=1 << 16)]
Uint24 = Annotated[int, Field(ge=0, lt=1 << 24)]
Uint32 = Annotated[int, Field(ge=0, lt=1 << 32)]
# JSON numbers are doubles in a browser: beyond 2^53 they would not be the signed value any more.
SafeUint64 = Annotated[int, Field(ge=0, lt=1 << 53)]
Decimal256 = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,77})$"), AfterValidator(_fits_256)]
EchoId = Annotated[int, Field(ge=0, lt=1 << 53)] | Annotated[str, Field(max_length=64)] | None

Color = Literal["white", "black"]
Stage = Literal["proposed", "queued", "proving", "proved", "submitted", "verified", "rejected"]
OpenStage = Literal["proposed", "submitted", "verified", "rejected"]
ErrorCode = Literal[
    "bad_frame",
    "unknown_type",
    "unknown_game",
    "wrong_turn",
    "illegal_move",
    "stale_ply",
    "bad_signature",
    "stale_history",
    "game_over",
    "unknown_bot",
    "offer_unknown",
    "offer_expired",
    "bad_clock",
    "too_many_games",
    "not_player",
    "bad_start",
    "too_late",
    "rate_limited",
    "chain_down",
    "over_budget",
    "closing",
    "internal",
]

# close codes of our own; the standard ones are used where they fit (1001, 1008, 1009)
CLOSE_TOO_SLOW = 4008
CLOSE_RATE_LIMITED = 4029
CLOSE_UNKNOWN_GAME = 4004


class _Frame(BaseModel):
    """Names are camelCase on the wire and snake_case here."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, validate_by_name=True
    )


class _Input(_Frame):
    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)


# --- client -> server ---------------------------------------------------------------------------


class Nothing(_Input):
    pass


class OfferData(_Input):
    bot: Hex32


class OpenTerms(_Input):
    """The fields of the signed `Open`, as they travel."""

    opener: HexAddress
    white: Hex32
    black: Hex32
    start: Hex32
    start_context: Uint24 = 0
    base_seconds: Uint32
    increment_seconds: Uint16
    delay_seconds: Uint16
    commitment: Hex32
    seed: Hex32
    expires: SafeUint64
    nonce: Decimal256


class OpenData(_Input):
    open: OpenTerms
    signature: HexSignature


class MoveData(_Input):
    ply: Uint16
    index: Uint16
    signature: HexSignature


class ResignData(_Input):
    signature: HexSignature


class AbortData(_Input):
    signature: HexSignature


class DrawData(_Input):
    ply: Uint16
    signature: HexSignature


class Offer(_Input):
    t: Literal["offer"]
    id: EchoId = None
    d: OfferData


class Open(_Input):
    t: Literal["open"]
    id: EchoId = None
    d: OpenData


class Move(_Input):
    t: Literal["move"]
    id: EchoId = None
    d: MoveData


class Resign(_Input):
    t: Literal["resign"]
    id: EchoId = None
    d: ResignData


class Abort(_Input):
    t: Literal["abort"]
    id: EchoId = None
    d: AbortData


class Draw(_Input):
    t: Literal["draw"]
    id: EchoId = None
    d: DrawData


class Timeout(_Input):
    t: Literal["timeout"]
    id: EchoId = None
    d: Nothing = Nothing()


class Ping(_Input):
    t: Literal["ping"]
    id: EchoId = None
    d: Nothing = Nothing()


ClientFrame = Offer | Open | Move | Resign | Abort | Draw | Timeout | Ping
GameCommand = Move | Resign | Abort | Draw | Timeout

_CLIENT: TypeAdapter[ClientFrame] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="t")])
_ECHO: TypeAdapter[EchoId] = TypeAdapter(EchoId, config=ConfigDict(strict=True))
_CLIENT_TYPES = {get_args(f.model_fields["t"].annotation)[0] for f in get_args(ClientFrame)}


def parse_client_frame(raw: bytes | str) -> ClientFrame:
    """One frame from the wire, or FrameError with code bad_frame or unknown_type."""
    if len(raw) > MAX_FRAME_BYTES or (
        isinstance(raw, str) and len(raw.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES
    ):
        raise FrameError("bad_frame", f"a frame holds at most {MAX_FRAME_BYTES} bytes")
    try:
        value = from_json(raw, allow_inf_nan=False)
    except ValueError:
        raise FrameError("bad_frame", "a frame is one JSON object") from None
    if not isinstance(value, dict):
        raise FrameError("bad_frame", "a frame is one JSON object")
    echo = _echo_id(value.get("id"))
    kind = value.get("t")
    if not isinstance(kind, str):
        raise FrameError("bad_frame", 'a frame names its type in "t"', echo)
    if kind not in _CLIENT_TYPES:
        raise FrameError("unknown_type", f"no command is called {kind[:32]!r}", echo)
    try:
        return _CLIENT.validate_python(value)
    except ValidationError as error:
        raise FrameError("bad_frame", _first_problem(error), echo) from None


def _echo_id(value: Any) -> int | str | None:
    try:
        return _ECHO.validate_python(value)
    except ValidationError:
        return None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part)[:32] for part in problem["loc"][1:])
    return f"{where or 'frame'}: {problem['msg']}"


# --- server -> client: parts --------------------------------------------------------------------


class PlayerSide(_Frame):
    kind: Literal["player"] = "player"
    address: str


class BotSide(_Frame):
    kind: Literal["bot"] = "bot"
    version: str
    name: str


Side = PlayerSide | BotSide


class ClockTerms(_Frame):
    base_seconds: int
    increment_seconds: int
    delay_seconds: int


class Clocks(_Frame):
    """Seconds left at unix time `at`; the running side's go down from there.

    They are the contract's clocks: a side is charged from the block of the move before to the
    block of its own.
    """

    white: float
    black: float
    running: Color | None
    at: float


class Result(_Frame):
    result: str
    reason: str


class Opening(_Frame):
    stage: OpenStage
    tx: str | None = None
    gas: int | None = None


class MoveRecord(_Frame):
    """One ply with everything known about it; `fen` and `history` are those after the move."""

    ply: int
    color: Color
    by: Literal["player", "bot"]
    index: int
    uci: str
    san: str
    fen: str
    history: str
    stage: Stage
    at: dict[str, float]
    queue_position: int | None = None
    wait_seconds: float | None = None
    prove_seconds: float | None = None
    cpu_seconds: float | None = None
    proof: str | None = None
    payee: str | None = None
    tx: str | None = None
    gas: int | None = None
    block: int | None = None
    reason: str | None = None


class Away(_Frame):
    """A time in which the arena did not run, in unix seconds; the contract's clocks ran on."""

    since: float
    until: float


class Snapshot(_Frame):
    """A whole game.  `waiting` says what holds it up, if anything does.

    Plies are numbered from 0, or from 1 where Black moves first in `start_fen`.
    """

    game: str
    chain_id: int
    arena: str
    white: Side
    black: Side
    opener: str
    clock: ClockTerms
    start_fen: str = chess.STARTING_FEN
    status: Literal["opening", "playing", "ended"]
    result: Result | None
    open_stage: Opening
    moves: list[MoveRecord]
    history: str
    clocks: Clocks
    spectators: int
    waiting: str | None = None
    away: list[Away] = []


class ProofData(_Frame):
    """What became of a bot's proof.  `wait_seconds` is how long it will probably take from now
    until there is one; null while nothing is known of it."""

    ply: int
    stage: Literal["queued", "proving", "proved"]
    at: float
    queue_position: int | None = None
    wait_seconds: float | None = None
    prove_seconds: float | None = None
    cpu_seconds: float | None = None
    proof: str | None = None


class ChainData(_Frame):
    """What the chain did with ply `ply`; -1 is the opening. A `reason` with stage submitted
    says what it is waiting for."""

    ply: int
    stage: Literal["submitted", "verified", "rejected"]
    at: float
    tx: str | None = None
    gas: int | None = None
    block: int | None = None
    reason: str | None = None


Cause = Literal["reorg", "refused", "unprovable", "other_move", "ended"]


class CorrectionData(_Frame):
    """What was shown from ply `ply` on does not hold: the whole game follows.

    Causes: the chain lost blocks (`reorg`), the contract refused a move (`refused`), a move could
    not be proven (`unprovable`), another move landed (`other_move`), the game ended before
    (`ended`).
    """

    ply: int
    cause: Cause
    message: str
    at: float


class WaitingData(_Frame):
    """What holds the game up; null when nothing does any more."""

    reason: str | None
    at: float


class EndData(_Frame):
    result: str
    reason: str
    tx: str | None


class SpectatorsData(_Frame):
    count: int


class OfferReply(_Frame):
    commitment: str
    expires: int


class OpenedReply(_Frame):
    game: str


class PongReply(_Frame):
    """`at` is the server's time: a page sets its clocks by it."""

    at: float


class ErrorData(_Frame):
    code: ErrorCode
    message: str


class Empty(_Frame):
    pass


# --- server -> client: frames -------------------------------------------------------------------


class FullEvent(_Frame):
    t: Literal["full"] = "full"
    d: Snapshot
    v: int = 0


class MoveEvent(_Frame):
    t: Literal["move"] = "move"
    d: MoveRecord
    v: int = 0


class ProofEvent(_Frame):
    t: Literal["proof"] = "proof"
    d: ProofData
    v: int = 0


class ChainEvent(_Frame):
    t: Literal["chain"] = "chain"
    d: ChainData
    v: int = 0


class ClockEvent(_Frame):
    t: Literal["clock"] = "clock"
    d: Clocks
    v: int = 0


class EndEvent(_Frame):
    t: Literal["end"] = "end"
    d: EndData
    v: int = 0


class CorrectionEvent(_Frame):
    t: Literal["correction"] = "correction"
    d: CorrectionData
    v: int = 0


class WaitingEvent(_Frame):
    t: Literal["waiting"] = "waiting"
    d: WaitingData
    v: int = 0


class SpectatorsEvent(_Frame):
    t: Literal["spectators"] = "spectators"
    d: SpectatorsData
    v: int = 0


class Offered(_Frame):
    t: Literal["offer"] = "offer"
    id: EchoId
    d: OfferReply


class Opened(_Frame):
    t: Literal["opened"] = "opened"
    id: EchoId
    d: OpenedReply


class Ack(_Frame):
    t: Literal["ack"] = "ack"
    id: EchoId
    d: Empty = Empty()


class Pong(_Frame):
    t: Literal["pong"] = "pong"
    id: EchoId
    d: PongReply


class ErrorReply(_Frame):
    t: Literal["error"] = "error"
    id: EchoId
    d: ErrorData


GameEvent = (
    FullEvent
    | MoveEvent
    | ProofEvent
    | ChainEvent
    | ClockEvent
    | EndEvent
    | CorrectionEvent
    | WaitingEvent
    | SpectatorsEvent
)
Reply = Offered | Opened | Ack | Pong | ErrorReply
ServerFrame = GameEvent | Reply

_SERVER: TypeAdapter[ServerFrame] = TypeAdapter(Annotated[ServerFrame, Field(discriminator="t")])


def parse_server_frame(raw: bytes | str) -> ServerFrame:
    """The client's side of the wire; raises pydantic's ValidationError on anything unknown."""
    return _SERVER.validate_json(raw)


def to_wire(frame: ServerFrame) -> str:
    return frame.model_dump_json(by_alias=True)


def error_reply(echo: EchoId, code: ErrorCode, message: str) -> ErrorReply:
    return ErrorReply(id=echo, d=ErrorData(code=code, message=message))


def schema() -> dict[str, Any]:
    """JSON schema of both directions."""
    return {
        "client": _CLIENT.json_schema(by_alias=True),
        "server": _SERVER.json_schema(by_alias=True, mode="serialization"),
    }
