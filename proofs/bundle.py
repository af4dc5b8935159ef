"""Everything that an audit reads, in one file: checked offline, years later, it gives one answer.

    a gzip file of JSON: {"format": "checkproof-bundle/1", "chainId", "arena", "registry", "head",
     "blocks":    [{"number", "hash", "header"}, ..],
     "receipts":  [{"block", "place", "tx", "gas", "firstLog", "receipt", "nodes"}, ..],
     "contracts": {address: {"code", "nodes"}},
     "states":    {game: what the Arena answers when asked for it at block `head`},
     "nets":      {net hash: file},
     "setups":    {SHA-256: file}}     left out if there is none

`head` is the last block looked at.  Bytes, hashes and addresses are lower-case 0x hex, numbers are
numbers; proofs/evidence.py says what headers, receipts and nodes are.  The logs are in the
receipts, the verifying keys in the logs.  The setups are those behind ONNX bots' keys.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from proofs.errors import NotABundle
from proofs.evidence import BlockEvidence, CodeEvidence, ReceiptEvidence

FORMAT: Final = "checkproof-bundle/1"
MAX_FILE_BYTES: Final = 256 << 20
MAX_TEXT_BYTES: Final = 1 << 30

_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*")
Value = TypeVar("Value")
_KEYS: Final = {
    *("format", "chainId", "arena", "registry", "head"),
    *("blocks", "receipts", "contracts", "states", "nets"),
}


@dataclass(frozen=True)
class Bundle:
    """What was read of a chain; ids, addresses and hashes that name things are 0x hex."""

    chain_id: int
    arena: str
    registry: str
    head: int
    blocks: Mapping[int, BlockEvidence]
    receipts: tuple[ReceiptEvidence, ...]
    contracts: Mapping[str, CodeEvidence]
    states: Mapping[str, bytes]
    nets: Mapping[str, bytes] = field(default_factory=dict)
    setups: Mapping[str, bytes] = field(default_factory=dict)

    def with_nets(self, nets: Mapping[str, bytes]) -> "Bundle":
        """The same with these net files."""
        return replace(self, nets=dict(nets))

    def with_setups(self, setups: Mapping[str, bytes]) -> "Bundle":
        """The same with these setups' files."""
        return replace(self, setups=dict(setups))


def write_bundle(bundle: Bundle, path: Path) -> int:
    """Write a bundle, and say how many bytes it has.  Equal bundles give equal files."""
    data = gzip.compress(dump_bundle(bundle).encode(), mtime=0)
    path.write_bytes(data)
    return len(data)


def read_bundle(path: Path) -> Bundle:
    """A bundle's file.  Raises NotABundle for a file that is none."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise NotABundle(f"{path} has more than {MAX_FILE_BYTES >> 20} MiB")
        with gzip.open(path) as file:
            data = file.read(MAX_TEXT_BYTES + 1)
        if len(data) > MAX_TEXT_BYTES:
            raise NotABundle(f"{path} unpacks to more than {MAX_TEXT_BYTES >> 20} MiB")
        return parse_bundle(data.decode())
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise NotABundle(f"{path} is no whole gzip file") from None
    except UnicodeDecodeError:
        raise NotABundle(f"{path} is no text") from None
    except OSError as error:
        raise NotABundle(f"{path} cannot be read: {error.strerror}") from error


def dump_bundle(bundle: Bundle) -> str:
    """The JSON text of a bundle."""
    return json.dumps(
        {
            "format": FORMAT,
            "chainId": bundle.chain_id,
            "arena": bundle.arena,
            "registry": bundle.registry,
            "head": bundle.head,
            "blocks": [_block_out(bundle.blocks[number]) for number in sorted(bundle.blocks)],
            "receipts": list(map(_receipt_out, bundle.receipts)),
            "contracts": {
                address: {"code": _hex(code.code), "nodes": list(map(_hex, code.nodes))}
                for address, code in sorted(bundle.contracts.items())
            },
            "states": {game: _hex(state) for game, state in sorted(bundle.states.items())},
            "nets": _files_out(bundle.nets),
            **({"setups": _files_out(bundle.setups)} if bundle.setups else {}),
        }
    )


def parse_bundle(text: str) -> Bundle:
    """The bundle of a JSON text.  Raises NotABundle."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotABundle(f"no JSON ({error})") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise NotABundle(f"its format is not {FORMAT}")
    _exactly(raw, _KEYS | (raw.keys() & {"setups"}), "it")
    blocks = [_block_in(block) for block in _list(raw["blocks"], "blocks")]
    return Bundle(
        chain_id=_number(raw["chainId"], 256, "chainId"),
        arena=_named(raw["arena"], 20, "arena"),
        registry=_named(raw["registry"], 20, "registry"),
        head=_number(raw["head"], 64, "head"),
        blocks={block.number: block for block in blocks},
        receipts=tuple(_receipt_in(receipt) for receipt in _list(raw["receipts"], "receipts")),
        contracts=_mapped(raw["contracts"], 20, "contracts", _code_in),
        states=_mapped(raw["states"], 32, "states", lambda state: _bytes(state, "a state")),
        nets=_mapped(raw["nets"], 32, "nets", lambda net: _bytes(net, "a net")),
        setups=_mapped(raw.get("setups", {}), 32, "setups", lambda file: _bytes(file, "a setup")),
    )


def _block_out(block: BlockEvidence) -> dict[str, Any]:
    return {"number": block.number, "hash": _hex(block.hash), "header": _hex(block.header)}


def _receipt_out(receipt: ReceiptEvidence) -> dict[str, Any]:
    return {
        "block": receipt.block,
        "place": receipt.place,
        "tx": receipt.tx,
        "gas": receipt.gas,
        "firstLog": receipt.first_log,
        "receipt": _hex(receipt.receipt),
        "nodes": list(map(_hex, receipt.nodes)),
    }


def _files_out(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: _hex(data) for name, data in sorted(files.items())}


def _block_in(raw: Any) -> BlockEvidence:
    _exactly(raw, {"number", "hash", "header"}, "a block")
    hash_ = bytes.fromhex(_named(raw["hash"], 32, "a block's hash")[2:])
    header = _bytes(raw["header"], "a header")
    return BlockEvidence(_number(raw["number"], 64, "a block's number"), hash_, header)


def _receipt_in(raw: Any) -> ReceiptEvidence:
    names = {"block", "place", "tx", "gas", "firstLog", "receipt", "nodes"}
    _exactly(raw, names, "a receipt")
    counts = (_number(raw[name], 64, name) for name in ("block", "place", "gas", "firstLog"))
    block, place, gas, first_log = counts
    tx, receipt = _named(raw["tx"], 32, "tx"), _bytes(raw["receipt"], "a receipt")
    return ReceiptEvidence(block, place, tx, gas, first_log, receipt, _nodes(raw["nodes"]))


def _code_in(raw: Any) -> CodeEvidence:
    _exactly(raw, {"code", "nodes"}, "a contract")
    return CodeEvidence(_bytes(raw["code"], "a code"), _nodes(raw["nodes"]))


def _mapped(raw: Any, size: int, what: str, value: Callable[[Any], Value]) -> dict[str, Value]:
    if not isinstance(raw, dict):
        raise NotABundle(f"{what} is no object")
    return {_named(name, size, f"a name in {what}"): value(raw[name]) for name in raw}


def _nodes(raw: Any) -> tuple[bytes, ...]:
    return tuple(_bytes(node, "a node") for node in _list(raw, "nodes"))


def _list(raw: Any, what: str) -> list[Any]:
    if not isinstance(raw, list):
        raise NotABundle(f"{what} is no list")
    return raw


def _exactly(raw: Any, names: set[str], what: str) -> None:
    if not isinstance(raw, dict) or set(raw) != names:
        raise NotABundle(f"{what} must hold exactly {', '.join(sorted(names))}")


def _number(raw: Any, bits: int, what: str) -> int:
    if type(raw) is not int or raw < 0 or raw >> bits:
        raise NotABundle(f"{what} is no unsigned integer of {bits} bits")
    return raw


def _named(raw: Any, size: int, what: str) -> str:
    if len(_bytes(raw, what)) != size:
        raise NotABundle(f"{what} has not {size} bytes")
    return str(raw)


def _bytes(raw: Any, what: str) -> bytes:
    if not isinstance(raw, str) or _HEX.fullmatch(raw) is None:
        raise NotABundle(f"{what} is no lower-case 0x hex")
    return bytes.fromhex(raw[2:])


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
