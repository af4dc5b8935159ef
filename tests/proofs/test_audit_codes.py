"""What a bundle tells of custom verifiers is what the chain tells."""

from pathlib import Path

from eth_utils.crypto import keccak

from proofs.abi import load_artifact
from proofs.audit_bots import circuits_of_nets
from proofs.audit_bundle import Audit
from proofs.audit_codes import unpack_nets, verifier_codes, with_net_files
from proofs.audit_judges import Groth16Judge
from proofs.bundle import Bundle
from proofs.ezkl_chain import read_verifier
from proofs.gather import gather
from proofs.statement import STATEMENT_ID
from tests.proofs.chain_scene import CIRCUIT, KEY, NET, opening, scene


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


def test_netFiles_comeAndGoWithABundle(tmp_path: Path) -> None:
    bundle = Bundle(1, "0x" + "11" * 20, "0x" + "22" * 20, 0, {}, (), {}, {})
    assert with_net_files(bundle, []).nets == {}
    named = bundle.with_nets({"0x" + "33" * 32: b"{}"})
    assert unpack_nets(named, tmp_path) == []
