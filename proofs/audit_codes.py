"""What a bundle tells of custom bots: their verifiers' code, the files of nets and setups."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from engine.net import house_net, house_nets
from proofs.abi import immutables, load_artifact, same_code
from proofs.audit_bundle import records_of
from proofs.bundle import Bundle
from proofs.ezkl_verifier import CONTRACT, VerifierCode

_ADDRESS = range(1 << 64, 1 << 160)


def verifier_codes(bundle: Bundle) -> dict[str, VerifierCode]:
    """What the bundle holds at the custom verifiers, by their addresses."""
    registered = _registered(bundle)
    custom = {str(args["verifier"]) for args in registered if args["custom"]}
    return {address: _code(bundle, address) for address in custom & set(bundle.contracts)}


def with_net_files(bundle: Bundle, files: Iterable[Path]) -> Bundle:
    """The bundle with the files of its bots' nets, so far as they are among these, its own or the
    house's.

    Raises OSError.
    """
    wanted = {str(args["netHash"]) for args in _registered(bundle)}
    known = [house_net(name).to_bytes() for name in house_nets()]
    known += [*bundle.nets.values(), *(path.read_bytes() for path in files)]
    by_hash = {_name(data): data for data in known}
    return bundle.with_nets({name: by_hash[name] for name in wanted & set(by_hash)})


def with_setup_files(bundle: Bundle, files: Iterable[Path]) -> Bundle:
    """The bundle with these setups and its own.  Raises OSError."""
    data = [path.read_bytes() for path in files]
    return bundle.with_setups({**bundle.setups, **{_name(each): each for each in data}})


def unpack_nets(bundle: Bundle, folder: Path) -> list[Path]:
    """Write the bundle's net files, so far as they are what their names say, into a folder."""
    kinds = {name: "json" if net.startswith(b"{") else "onnx" for name, net in bundle.nets.items()}
    return _unpack(bundle.nets, kinds, folder)


def unpack_setups(bundle: Bundle, folder: Path) -> list[Path]:
    """Write the bundle's setups, so far as they are what their names say, into a folder."""
    return _unpack(bundle.setups, dict.fromkeys(bundle.setups, "srs"), folder)


def _unpack(files: Mapping[str, bytes], kinds: Mapping[str, str], folder: Path) -> list[Path]:
    written = []
    for name, data in files.items():
        if _name(data) == name:
            written.append(folder / f"{name[2:]}.{kinds[name]}")
            written[-1].write_bytes(data)
    return written


def _name(data: bytes) -> str:
    return "0x" + sha256(data).hexdigest()


def _registered(bundle: Bundle) -> list[dict[str, Any]]:
    records = records_of(bundle).values()
    events = (event for record in records for event in record.events)
    return [event.args for event in events if event.name == "BotRegistered" and event.args]


def _code(bundle: Bundle, address: str) -> VerifierCode:
    artifact, code = load_artifact(CONTRACT), bundle.contracts[address].code
    if not same_code(artifact, code):
        return VerifierCode(address, is_ours=False)
    values = sorted({int.from_bytes(value, "big") for value in immutables(artifact, code)})
    # Each stands there more than once.  The constructor writes the same value into all its places,
    # but code can be deployed without it.
    if [_size(value) for value in values] != ["count", "count", "address", "hash"]:
        return VerifierCode(address, is_ours=False)
    # 4 bytes for each of the outputs come before the proof, which is longer than there are outputs
    outputs, proof_length, halo2, code_hash = values
    held = bundle.contracts.get(f"0x{halo2:040x}")
    made_with = {
        "halo2CodeHash": f"0x{code_hash:064x}",
        "outputs": outputs,
        "proofLength": proof_length,
    }
    if held is None or keccak(held.code).hex() != f"{code_hash:064x}":
        return VerifierCode(address, is_ours=True, made_with=tuple(made_with.items()))
    return VerifierCode(address, True, held.code, tuple(made_with.items()))


def _size(value: int) -> str:
    return "count" if value < _ADDRESS.start else "address" if value in _ADDRESS else "hash"
