"""What a bundle tells of custom verifiers is what the chain tells."""

import re
from dataclasses import replace
from pathlib import Path

from eth_utils.crypto import keccak

from proofs.abi import load_artifact
from proofs.audit_bots import circuits_of_nets
from proofs.audit_bundle import Audit
from proofs.audit_codes import (
    unpack_nets,
    unpack_setups,
    verifier_codes,
    with_net_files,
    with_setup_files,
)
from proofs.audit_judges import Groth16Judge
from proofs.bundle import Bundle, dump_bundle, parse_bundle
from proofs.evidence import CodeEvidence
from proofs.ezkl_chain import read_verifier
from proofs.gather import gather
from proofs.statement import STATEMENT_ID
from tests.proofs.chain_scene import CIRCUIT, KEY, NET, opening, scene


def with_code(bundle: Bundle, address: str, code: CodeEvidence) -> Bundle:
    return replace(bundle, contracts={**bundle.contracts, address: code})


def artificial(code: bytes) -> list[bytes]:
    """An EzklMoveVerifier's code as its constructor never makes it: two values of one immutable."""
    artifact = load_artifact("EzklMoveVerifier")
    places = [match.start() + 1 for match in re.finditer(b"\x7f\x00{32}", artifact.deployed)]
    last = places[-1]
    return [
        artifact.deployed,
        *(
            code[:place] + (number << 70 | 9).to_bytes(32, "big") + code[place + 32 :]
            for number, place in enumerate(places, 1)
        ),
        code[:last] + bytes(32) + code[last + 32 :],
    ]


async def test_verifierCodes_areTheChains(tmp_path: Path) -> None:
    async with scene(tmp_path) as built:
        chain = built.chain
        halo2 = (await chain.deploy(load_artifact("YesVerifier"))).contract
        assert halo2 is not None
        made_with = (halo2, keccak(await chain.code(halo2)), 451, 3072)
        made = await chain.deploy(load_artifact("EzklMoveVerifier"), *made_with)
        assert made.contract is not None
        bot = await chain.register_custom(NET, CIRCUIT, KEY, STATEMENT_ID, made.contract, "rook")
        ours = await built.open(opening(bot.id))
        other = await built.open()
        bundle = await gather(chain, [ours.id, other.id])
        codes = verifier_codes(bundle)
        assert len(codes) == 2
        for address, code in codes.items():
            assert code == await read_verifier(chain, address)
    judges = (Groth16Judge(),)
    reports = list(Audit(bundle, circuit_of=circuits_of_nets(), judges=judges).reports())
    assert [report.game for report in reports] == ["0x" + g.id.hex() for g in (ours, other)]
    assert {report.exit_code for report in reports} == {4}
    found = {finding.check for report in reports for finding in report.undecided}
    assert "verifier" not in found
    ezkl = next(address for address, code in codes.items() if code.is_ours)
    for address in (ezkl, halo2):
        held = bundle.contracts[address]
        elsewhere = replace(held, nodes=bundle.contracts[bundle.arena].nodes)
        for shown, kind in ((elsewhere, "failures"), (replace(held, nodes=()), "undecided")):
            altered = with_code(bundle, address, shown)
            run = Audit(altered, circuit_of=circuits_of_nets(), judges=judges)
            (report,) = run.reports(["0x" + ours.id.hex()])
            assert "verifier" in {finding.check for finding in getattr(report, kind)}
    held = bundle.contracts[ezkl]
    for made_up in artificial(held.code):
        altered = with_code(bundle, ezkl, replace(held, code=made_up))
        assert not verifier_codes(altered)[ezkl].is_ours


def test_netFiles_comeAndGoWithABundle(tmp_path: Path) -> None:
    bundle = Bundle(1, "0x" + "11" * 20, "0x" + "22" * 20, 0, {}, (), {}, {})
    assert with_net_files(bundle, []).nets == {}
    named = bundle.with_nets({"0x" + "33" * 32: b"{}"})
    assert unpack_nets(named, tmp_path) == []


def test_setupFiles_comeAndGoWithABundle(tmp_path: Path) -> None:
    bundle = Bundle(1, "0x" + "11" * 20, "0x" + "22" * 20, 0, {}, (), {}, {})
    assert "setups" not in dump_bundle(bundle)
    assert parse_bundle(dump_bundle(bundle)) == bundle
    file = tmp_path / "ours.srs"
    file.write_bytes(b"powers")
    holding = with_setup_files(bundle, [file])
    assert parse_bundle(dump_bundle(holding)) == holding == with_setup_files(holding, [])
    (unpacked,) = unpack_setups(holding, tmp_path)
    assert unpacked.read_bytes() == b"powers"
    (name,) = holding.setups
    assert unpack_setups(bundle.with_setups({name: b"other"}), tmp_path) == []
