"""The audit of a game against an ONNX bot: all made anew from the net's file and the setup."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from proofs import audit_ezkl
from proofs.audit import audit
from proofs.audit_bundle import Audit
from proofs.audit_codes import (
    unpack_nets,
    unpack_setups,
    verifier_codes,
    with_net_files,
    with_setup_files,
)
from proofs.audit_ezkl import OnnxBots, cache_folder, onnx_bots, verifiers_of
from proofs.audit_judges import Groth16Judge
from proofs.audit_report import FAILED, INCOMPLETE, VERIFIED, Report
from proofs.bundle import Bundle, read_bundle, write_bundle
from proofs.ezkl_build import Manifest, srs_path
from proofs.ezkl_chain import ensure_ezkl_bot
from proofs.ezkl_prover import EzklProver
from proofs.ezkl_verifier import VerifierCode
from proofs.game_file import GameRecord, collect
from proofs.gather import gather
from proofs.records import LogEvent
from proofs.statement import Statement, dice, game_seed
from tests.proofs.chain_scene import SECRET, opening, scene
from tests.proofs.ezkl_fixture import CACHE, folder_of

NET, SETUP = folder_of(1) / "net.onnx", srs_path(folder_of(1))


@dataclass(frozen=True)
class Played:
    """A game of two plies, the second of which is the bot's, and the code on its chain.

    The bundle tells the same, and has the net's file.
    """

    record: GameRecord
    codes: dict[str, VerifierCode]
    bundle: Bundle


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return asyncio.run(_play(tmp_path_factory.mktemp("chain")))


async def _play(folder: Path) -> Played:
    async with scene(folder) as ground:
        bot = await ensure_ezkl_bot(ground.chain, folder_of(1), '{"name":"tiny"}')
        live = await ground.open(opening(bot.id))
        await live.player("e4")
        seed = game_seed(SECRET, opening(bot.id).seed)
        here, mask = live.game.position, live.game.mask
        with EzklProver(folder_of(1)) as prover:
            index = prover.choose(here.board, here.context, mask)
            rolled = dice(seed, live.game.ply, live.history)
            stated = Statement.of(here, mask, index, payee=ground.chain.payee, dice=rolled)
            proof = prover.prove(stated).proof
        await ground.chain.submit_bot_move(live.id, 1, index, ground.chain.payee, proof)
        record = await collect(ground.chain, live.id)
        codes = await verifiers_of(ground.chain, record)
        bundle = with_net_files(await gather(ground.chain, [live.id]), [NET])
        return Played(record, codes, bundle)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def check(
    record: GameRecord,
    cache: Path,
    codes: dict[str, VerifierCode] | None,
    *,
    nets: Iterable[Path] = (NET,),
    setups: Iterable[Path] = (SETUP,),
) -> Report:
    custom = OnnxBots(cache, nets=nets, setups=setups, codes=codes)
    return audit(record, judges=(Groth16Judge(), custom), custom=custom)


def undecided(report: Report) -> list[tuple[int | None, str]]:
    return [(finding.ply, finding.check) for finding in report.undecided]


def failures(report: Report) -> list[tuple[int | None, str]]:
    return [(finding.ply, finding.check) for finding in report.failures]


def test_an_honest_game_is_verified_and_says_what_was_recomputed(
    played: Played, cache: Path
) -> None:
    report = check(played.record, cache, played.codes)
    assert (report.failures, report.undecided) == ((), ())
    assert report.exit_code == VERIFIED
    assert report.black.recomputed == "verifying key recomputed from the net's file"
    assert report.black.setup == "DEV SETUP: whoever ran it can forge"
    assert report.rows[1].checks["proof"] == "ok"
    (part,) = [part for part in report.parts if part.subject.startswith("bot ")]
    assert {part.checks[name] for name in ("circuit", "key", "verifier")} == {"ok"}


def moved(record: GameRecord, change: Callable[[bytearray], None]) -> GameRecord:
    """The record with another proof for the bot's move."""

    def other(event: LogEvent) -> LogEvent:
        if event.name != "BotMoved":
            return event
        proof = bytearray.fromhex(event.args["proof"][2:])
        change(proof)
        return replace(event, args={**event.args, "proof": "0x" + proof.hex()})

    return replace(record, events=tuple(map(other, record.events)))


def flip(at: int) -> Callable[[bytearray], None]:
    def change(proof: bytearray) -> None:
        proof[at] ^= 1

    return change


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (flip(4 * 131 + 40), "does not prove"),
        (flip(-1), "does not prove"),
        (flip(3), "does not prove"),  # an output, by so little that the move stays the best
        (lambda proof: proof.append(0), "bytes"),
        (lambda proof: proof.__delitem__(slice(4)), "bytes"),
        (lambda proof: proof.__setitem__(slice(4), b"\x7f" * 4), "out of its range"),
        (lambda proof: proof.__setitem__(slice(4 * 131), bytes(4 * 131)), "by its outputs"),
    ],
)
def test_an_altered_proof_fails_at_its_ply(
    played: Played, cache: Path, change: Callable[[bytearray], Any], what: str
) -> None:
    report = check(moved(played.record, change), cache, played.codes)
    assert report.exit_code == FAILED
    assert failures(report) == [(1, "proof")]
    assert what in report.failures[0].what


def test_other_code_on_the_chain_fails(played: Played, cache: Path) -> None:
    ((address, code),) = played.codes.items()
    outputs = tuple((n, 451 if n == "outputs" else v) for n, v in code.made_with)
    for other in (
        VerifierCode(address, is_ours=False),
        replace(code, halo2=code.halo2 + b"\0"),
        replace(code, made_with=outputs),
    ):
        report = check(played.record, cache, {address: other})
        assert report.exit_code == FAILED
        assert failures(report) == [(None, "verifier")]


def registered(record: GameRecord, **other: str) -> GameRecord:
    events = (
        replace(e, args={**e.args, **other}) if e.name == "BotRegistered" else e
        for e in record.events
    )
    return replace(record, events=tuple(events))


def test_another_circuit_than_the_nets_fails(played: Played, cache: Path) -> None:
    report = check(registered(played.record, circuitHash="0x" + "77" * 32), cache, played.codes)
    assert report.exit_code == FAILED
    assert (None, "circuit") in failures(report)
    assert (1, "proof") in undecided(report)


def test_a_folder_of_another_circuit_to_the_same_key_is_not_taken(
    played: Played, cache: Path, tmp_path: Path
) -> None:
    """Such as one that another version of ours laid out, told differently and proven alike."""
    (made,) = cache.glob("*/manifest.json")
    shutil.copytree(cache / "srs", tmp_path / "srs")
    shutil.copytree(made.parent, tmp_path / "other")
    manifest = json.loads(made.read_text()) | {"circuit_hash": "77" * 32}
    (tmp_path / "other" / "manifest.json").write_text(json.dumps(manifest))
    assert check(played.record, tmp_path, played.codes).exit_code == VERIFIED
    assert len(list(tmp_path.glob("*/manifest.json"))) == 2


def test_a_setup_altered_where_keys_do_not_show_it_is_passed_over(
    played: Played, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever brought it knows its secret, and can forge for who takes it."""
    honest = SETUP.read_bytes()
    altered = tmp_path / "altered.srs"
    altered.write_bytes(honest[:-128] + honest[-256:-128])  # [tau] G2 is G2: the secret is 1
    fooled = tmp_path / "fooled"
    assert failures(check(played.record, fooled, played.codes, setups=(altered,))) == [
        (None, "verifier"),
        (1, "proof"),
    ]
    (false,) = fooled.glob("*/manifest.json")
    (true,) = cache.glob("*/manifest.json")
    assert Manifest.read(false.parent).key_hash == Manifest.read(true.parent).key_hash

    def made(_net: Path, _cache: Path, *, srs: Path) -> Path:
        return false.parent if srs == altered else true.parent

    with monkeypatch.context() as patch:
        patch.setattr(audit_ezkl, "import_net", made)
        both = check(played.record, tmp_path / "none", played.codes, setups=(altered, SETUP))
    assert both.exit_code == VERIFIED
    shutil.copytree(true.parent, fooled / true.parent.name)
    shutil.copytree(cache / "srs", fooled / "srs", dirs_exist_ok=True)
    assert check(played.record, fooled, played.codes, setups=()).exit_code == VERIFIED


def test_without_what_it_takes_nothing_passes(
    played: Played, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_net = check(played.record, cache, played.codes, nets=())
    assert no_net.exit_code == INCOMPLETE
    assert undecided(no_net) == [(None, "circuit"), (1, "proof")]
    no_code = check(played.record, cache, None)
    assert no_code.exit_code == INCOMPLETE
    assert undecided(no_code) == [(None, "verifier")]
    other_setup = srs_path(folder_of(1, store="second"))
    no_setup = check(played.record, tmp_path, played.codes, setups=(other_setup,))
    assert no_setup.exit_code == INCOMPLETE
    assert undecided(no_setup) == [(None, "key"), (1, "proof")]
    assert "--srs" in no_setup.undecided[0].what
    monkeypatch.setattr(audit_ezkl, "ezkl_version", lambda: None)
    no_ezkl = check(played.record, cache, played.codes)
    assert no_ezkl.exit_code == INCOMPLETE
    assert undecided(no_ezkl) == [(None, "circuit"), (1, "proof")]
    assert "pip install" in no_ezkl.undecided[0].what


def test_a_process_that_dies_decides_nothing(
    played: Played, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    custom = OnnxBots(cache, nets=(NET,), setups=(SETUP,), codes=played.codes)
    with monkeypatch.context() as patch:
        patch.setattr(audit_ezkl, "VERIFIER", ("-c", "raise SystemExit(9)"))
        report = audit(played.record, judges=(custom,), custom=custom)
        patch.setattr(audit_ezkl, "VERIFIER", ("-c", "print('{', end='')"))
        cut = audit(played.record, judges=(custom,), custom=custom)
    assert report.exit_code == INCOMPLETE
    assert undecided(report) == undecided(cut) == [(1, "proof")]
    assert "status 9" in report.undecided[0].what


def test_files_are_found_in_the_data_folder(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache" / "checkproof" / "audit"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ezkl").symlink_to(CACHE / "first")
    custom = onnx_bots(tmp_path / "data", codes=played.codes)
    report = audit(played.record, judges=(custom,), custom=custom)
    assert report.exit_code == VERIFIED
    assert list(cache_folder().glob("*/manifest.json"))


def of_bundle(bundle: Bundle, folder: Path) -> Report:
    """An audit of what a file holds, beside a data folder that is empty."""
    file = folder / "game.bundle"
    write_bundle(bundle, file)
    read = read_bundle(file)
    nets, setups, codes = (
        unpack_nets(read, folder),
        unpack_setups(read, folder),
        verifier_codes(read),
    )
    custom = onnx_bots(folder / "data", nets=nets, setups=setups, codes=codes)
    judges = (Groth16Judge(), custom)
    audit_ = Audit(read, circuit_of=lambda _net: None, judges=judges, custom=custom)
    (report,) = audit_.reports()
    return report


@pytest.fixture
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("no_cache")
def test_a_bundle_with_net_and_setup_is_enough(played: Played, tmp_path: Path) -> None:
    custom = OnnxBots(SETUP.parents[1], nets=(NET,), codes=played.codes)
    assert audit(played.record, judges=(custom,), custom=custom).exit_code == VERIFIED
    nets, setups = custom.files()
    assert [path.read_bytes() for path in nets] == [NET.read_bytes()]
    report = of_bundle(with_setup_files(played.bundle, setups), tmp_path)
    assert (report.failures, report.undecided) == ((), ())
    assert report.exit_code == VERIFIED
    (part,) = [part for part in report.parts if part.subject.startswith("bot ")]
    checked = {"bot record", "block", "net", "circuit", "key", "verifier"}
    assert dict.fromkeys(checked, "ok").items() <= part.checks.items()


@pytest.mark.usefixtures("no_cache")
def test_a_bundle_with_another_net_or_none_is_not_verified(played: Played, tmp_path: Path) -> None:
    ((name, net),) = played.bundle.nets.items()
    other = of_bundle(played.bundle.with_nets({name: net + b"\0"}), tmp_path)
    assert other.exit_code == FAILED
    assert failures(other) == [(None, "net")]
    none = of_bundle(played.bundle.with_nets({}), tmp_path)
    assert none.exit_code == INCOMPLETE
    assert undecided(none) == [(None, "circuit"), (1, "proof")]
