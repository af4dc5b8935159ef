import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.net import NetSpec
from proofs.audit_bots import AuditedBot
from proofs.audit_report import DEV_SETUP
from proofs.ceremony import claimed_transcript
from proofs.circuit import compile_circuit
from proofs.errors import KeyDamaged, KeyMismatch, KeyNotFound
from proofs.groth16 import vk_from_json
from proofs.keys import CEREMONY, DEVELOPMENT, KeyRecord, KeyStore
from proofs.prove import Prover
from proofs.r1cs import sha256_hex
from server import cli_prove
from server.house import House, metadata
from server.house_bots import HouseBots
from server.key_making import Circuit, MadeKey
from server.memory import Memory
from tests.engine.nets import random_net
from tests.proofs.ceremony_fixture import Ceremony, done, new_phase1
from tests.proofs.keys_fixture import store_for
from tests.proofs.positions import game_statements

__all__ = ["done", "new_phase1"]  # fixtures


@pytest.fixture(scope="module")
def net() -> NetSpec:
    return random_net(77, channels=(1,), magnitude=1)


@pytest.fixture
def store(net: NetSpec, tmp_path: Path) -> KeyStore:
    """A store of its own with one key."""
    made, _ = store_for(net)
    shutil.copytree(made.root, tmp_path / "keys")
    return KeyStore(tmp_path / "keys")


@pytest.fixture
def record(net: NetSpec, store: KeyStore) -> KeyRecord:
    return store.ensure_dev_key(net)


def files_of(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*.*") if p.is_file()}


def test_a_key_is_named_by_its_verifying_key(record: KeyRecord, net: NetSpec) -> None:
    assert record.key_hash == sha256_hex(record.vk) == record.proving_key.parent.name
    assert record.circuit_hash == compile_circuit(net).hash
    assert (record.kind, record.net) == (DEVELOPMENT, net.name)
    assert vk_from_json(record.vk_json.read_text()) == record.vk


def test_a_key_is_made_once(store: KeyStore, record: KeyRecord, net: NetSpec) -> None:
    before = files_of(store.root)
    lines: list[str] = []
    assert store.ensure_dev_key(net, lines.append) == record
    assert lines == []
    assert files_of(store.root) == before


def test_another_circuit_gets_another_key_beside_it(store: KeyStore, record: KeyRecord) -> None:
    before = files_of(store.root)
    (store.root / "new-left").mkdir()  # by a setup that was killed
    lines: list[str] = []
    other = store.ensure_dev_key(random_net(78, channels=(), magnitude=1), lines.append)
    assert other.key_hash != record.key_hash
    assert len(lines) == 2
    assert "constraints" in lines[0]
    after = files_of(store.root)
    assert {name: after[name] for name in before} == before
    assert sorted(r.key_hash for r in store.records()) == sorted([other.key_hash, record.key_hash])
    assert store.of_circuit(other.circuit_hash) == [other]
    assert [p.name for p in store.root.iterdir() if p.name.startswith("new-")] == []


def test_two_at_once_make_one_key(tmp_path: Path) -> None:
    net = random_net(79, channels=(), magnitude=1)
    stores = [KeyStore(tmp_path / "keys") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda s: s.ensure_dev_key(net), stores)
    assert first == second


def test_find_and_get(store: KeyStore, record: KeyRecord, tmp_path: Path) -> None:
    assert store.find(record.key_hash) == record
    for absent in ("00" * 32, "", "..", "lock", "../" * 21 + "/", record.key_hash.upper()):
        assert store.find(absent) is None
    with pytest.raises(KeyNotFound):
        store.get("00" * 32)
    assert KeyStore(tmp_path / "nothing").records() == []


def test_a_damaged_key_is_reported_not_replaced(
    store: KeyStore, record: KeyRecord, net: NetSpec
) -> None:
    path = record.proving_key.with_name("verifying_key.bin")
    path.write_bytes(bytes(len(record.vk)))
    with pytest.raises(KeyDamaged, match="another hash"):
        store.find(record.key_hash)
    with pytest.raises(KeyDamaged):
        store.ensure_dev_key(net)
    path.write_bytes(record.vk)
    record.proving_key.unlink()
    with pytest.raises(KeyDamaged, match="proving key is missing"):
        store.find(record.key_hash)


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"circuit": "x"})])
def test_a_record_that_says_nothing_is_damaged(
    text: str, store: KeyStore, record: KeyRecord
) -> None:
    record.proving_key.with_name("record.json").write_text(text)
    with pytest.raises(KeyDamaged):
        store.records()


def test_a_truncated_proving_key_is_damaged(record: KeyRecord, net: NetSpec) -> None:
    data = record.proving_key.read_bytes()
    for bad in (data[:10_000], b"", b"x" * 1000):
        record.proving_key.write_bytes(bad)
        with pytest.raises(KeyDamaged):
            Prover(net, record)


def test_a_stored_key_proves(record: KeyRecord, net: NetSpec) -> None:
    (statement,) = game_statements(net, 1)
    assert Prover(net, record).prove(statement).key_hash == record.key_hash


def test_a_ceremonys_key_comes_before_a_development_key(
    done: Ceremony,
    store: KeyStore,
    record: KeyRecord,
    net: NetSpec,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transcript = done.verify()
    with pytest.raises(KeyMismatch, match=transcript.circuit):
        store.add_ceremony(net, done.final, transcript)
    assert store.key_of(net) == record
    circuit = SimpleNamespace(hash=transcript.circuit, net=net)
    monkeypatch.setattr("proofs.keys.compile_circuit", lambda _net: circuit)
    made = store.add_ceremony(net, done.final, transcript)
    assert (made.kind, made.transcript, made.key_hash) == (
        CEREMONY,
        transcript.hash,
        transcript.key,
    )
    assert store.key_of(net) == made == store.add_ceremony(net, done.final, transcript)
    (made.proving_key.parent / "transcript.json").write_text("{}")
    with pytest.raises(KeyDamaged, match="transcript"):
        store.get(made.key_hash)


def test_a_registration_names_its_transcript() -> None:
    assert claimed_transcript(metadata("pawn", "ab" * 32)) == "0x" + "ab" * 32
    for text in ("", "[]", metadata("pawn"), '{"transcript": "0xab"}', '{"transcript": 1}'):
        assert claimed_transcript(text) is None


def test_an_audit_says_what_a_registration_says_of_its_key() -> None:
    def setup(text: str) -> str | None:
        return AuditedBot(b"", text, False, "", None, {}).side().setup  # type: ignore[arg-type]

    assert setup(metadata("pawn")) == DEV_SETUP
    assert "ab" * 32 in str(setup(metadata("pawn", "ab" * 32)))


async def test_a_house_bot_is_registered_with_its_keys_transcript(
    store: KeyStore, record: KeyRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    made = replace(record, kind=CEREMONY, transcript="cd" * 32)

    async def make_key(_store: Path, _name: str) -> MadeKey:
        return MadeKey(record.key_hash, Circuit(1, 1))

    async def ensure(*arguments: object) -> object:
        told.append(str(arguments[-1]))
        return SimpleNamespace(id=b"", metadata="")

    async def bots() -> list[object]:
        return []

    monkeypatch.setattr("server.house_bots.ensure_bot", ensure)
    monkeypatch.setattr(KeyStore, "get", lambda _store, _hash: made)
    chain = SimpleNamespace(bots=bots)
    ours = HouseBots(
        chain,  # type: ignore[arg-type]
        store,
        ("pawn",),
        House({}, {}),
        memory=Memory(),
        make=make_key,
    )
    await ours.open_first(lambda _: None)
    assert claimed_transcript(told[-1]) == "0x" + "cd" * 32


def test_a_proof_is_said_to_be_under_a_ceremonys_key(
    record: KeyRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli_prove._setup(record.key_hash, tmp_path) == DEV_SETUP
    made = replace(record, kind=CEREMONY, transcript="cd" * 32)
    monkeypatch.setattr(KeyStore, "find", lambda _store, _hash: made)
    assert "cd" * 32 in cli_prove._setup(record.key_hash, tmp_path)
