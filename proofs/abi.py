"""Compiled contracts: calls in, answers, logs and errors out, without a chain.

An artifact is `proofs/contracts/abi/NAME.json`: {"abi", "bytecode", "deployedBytecode"}.

Decoded values are plain: integers stay integers, addresses and bytes are lower-case 0x hex,
structs are dicts by field name, arrays are lists.  So they go through JSON unchanged.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from eth_abi import abi
from eth_abi.abi import encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from proofs.errors import ArtifactMissing

ABI_FOLDER: Final = Path(__file__).parent / "contracts" / "abi"

_BUILT_IN: Final = (
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)
_IMMUTABLE: Final = re.compile(b"\x7f\x00{32}")  # PUSH32 of a value that the constructor fills in


@dataclass(frozen=True)
class Entry:
    """One function, event or error of an ABI."""

    name: str
    inputs: tuple[dict[str, Any], ...]
    outputs: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, raw: dict[str, Any]) -> "Entry":
        return cls(raw.get("name", ""), tuple(raw.get("inputs", ())), tuple(raw.get("outputs", ())))

    @cached_property
    def signature(self) -> str:
        return f"{self.name}({','.join(map(_type, self.inputs))})"

    @cached_property
    def topic(self) -> bytes:
        """keccak-256 of the signature: an event's first topic."""
        return keccak(text=self.signature)

    @property
    def selector(self) -> bytes:
        return self.topic[:4]


@dataclass(frozen=True)
class Artifact:
    """One compiled contract."""

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    deployed: bytes

    @cached_property
    def functions(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in self._entries("function")}

    @cached_property
    def events(self) -> dict[bytes, Entry]:
        """The events by their first topic."""
        return {entry.topic: entry for entry in self._entries("event")}

    @cached_property
    def errors(self) -> dict[bytes, Entry]:
        """The custom errors by their selector."""
        return {entry.selector: entry for entry in self._entries("error")}

    def topic(self, event: str) -> str:
        """The first topic of an event, as 0x hex."""
        return next("0x" + t.hex() for t, entry in self.events.items() if entry.name == event)

    def creation(self, *arguments: Any) -> bytes:
        """The code that deploys this contract."""
        inputs = next((e.inputs for e in self._entries("constructor")), ())
        return self.bytecode + encode([_type(i) for i in inputs], arguments)

    def call(self, function: str, *arguments: Any) -> bytes:
        """The call data of `function(*arguments)`; a struct is given as a tuple."""
        entry = self.functions[function]
        return entry.selector + encode([_type(i) for i in entry.inputs], arguments)

    def answer(self, function: str, data: bytes) -> Any:
        """What a call returned: one plain value, or a dict by name if there are several."""
        outputs = self.functions[function].outputs
        values = [
            _plain(value, output)
            for value, output in zip(_decode(outputs, data), outputs, strict=True)
        ]
        if len(values) == 1:
            return values[0]
        return {o["name"]: value for o, value in zip(outputs, values, strict=True)}

    def event(self, topics: Sequence[bytes], data: bytes) -> tuple[str, dict[str, Any]] | None:
        """The name and arguments of one of this contract's events, None for any other log.

        Indexed arguments are static here, so that their topics hold the values themselves.
        """
        entry = self.events.get(topics[0]) if topics else None
        if entry is None:
            return None
        indexed = [i for i in entry.inputs if i["indexed"]]
        others = [i for i in entry.inputs if not i["indexed"]]
        values = {
            i["name"]: _plain(_decode([i], topic)[0], i)
            for i, topic in zip(indexed, topics[1:], strict=True)
        }
        for i, value in zip(others, _decode(others, data), strict=True):
            values[i["name"]] = _plain(value, i)
        return entry.name, {i["name"]: values[i["name"]] for i in entry.inputs}

    def _entries(self, kind: str) -> list[Entry]:
        return [Entry.of(raw) for raw in self.abi if raw["type"] == kind]


@cache
def load_artifact(name: str) -> Artifact:
    """The committed artifact of a contract.  Raises ArtifactMissing."""
    path = ABI_FOLDER / f"{name}.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Artifact(
            name, tuple(raw["abi"]), _bytes(raw["bytecode"]), _bytes(raw["deployedBytecode"])
        )
    except FileNotFoundError:
        raise ArtifactMissing(name, "not compiled; run node proofs/contracts/compile.mjs") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactMissing(name, f"unreadable artifact: {error}") from error


def decode_error(data: bytes, artifacts: Iterable[Artifact]) -> tuple[str, dict[str, Any]]:
    """The name and arguments of the error in revert data; `Reverted` where nobody knows it."""
    entries = {e.selector: e for e in map(Entry.of, _BUILT_IN)}
    for artifact in artifacts:
        entries |= artifact.errors
    entry = entries.get(data[:4])
    if entry is None:
        return "Reverted", {"data": "0x" + data.hex()} if data else {}
    try:
        values = _decode(entry.inputs, data[4:])
    except DecodingError:
        return "Reverted", {"data": "0x" + data.hex()}
    return entry.name, {
        i["name"] or str(n): _plain(value, i)
        for n, (i, value) in enumerate(zip(entry.inputs, values, strict=True))
    }


def same_code(artifact: Artifact, code: bytes) -> bool:
    """Whether deployed code is the artifact's, whatever its immutable values are.

    A compiler leaves each immutable as a PUSH32 of zeros; those 32 bytes are not compared.
    """
    ours = artifact.deployed
    if len(ours) != len(code):
        return False
    blanked = bytearray(code)
    for match in _IMMUTABLE.finditer(ours):
        blanked[match.start() + 1 : match.end()] = bytes(32)
    return bytes(blanked) == ours


def immutables(artifact: Artifact, code: bytes) -> list[bytes]:
    """The 32-byte values that the constructor filled into code of this artifact, as they stand."""
    places = _IMMUTABLE.finditer(artifact.deployed)
    return [code[match.start() + 1 : match.end()] for match in places]


def _type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_type, parameter['components']))})" + kind[len("tuple") :]


def _decode(parameters: Sequence[dict[str, Any]], data: bytes) -> tuple[Any, ...]:
    """ABI-decoded values, strings still as bytes.  Raises DecodingError."""
    try:
        return abi.decode([_type(p).replace("string", "bytes") for p in parameters], data)
    except OverflowError:
        raise DecodingError("it points further than any data goes") from None


def _plain(value: Any, parameter: dict[str, Any]) -> Any:
    kind: str = parameter["type"]
    if kind.endswith("]"):
        element = {**parameter, "type": kind[: kind.rindex("[")]}
        return [_plain(item, element) for item in value]
    if kind == "tuple":
        fields = parameter["components"]
        return {f["name"]: _plain(item, f) for f, item in zip(fields, value, strict=True)}
    if kind == "string":
        # a contract takes any bytes for a string; these come back as they were
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return value.lower() if kind == "address" else value


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
