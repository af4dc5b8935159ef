"""An ezkl bot on the chain: deploy its verifier, register it, and compare what is there.

Three contracts stand behind such a bot's move: ezkl's generated verifier, which holds the key; an
EzklMoveVerifier, bound to the first by address and code hash; and the registry's entry, which
binds the second.  To the registry the bot is a custom one, because it cannot vouch for such code.
Whoever has the net's file can: make the folder anew, and `check_ezkl_bot`.
"""

from pathlib import Path

from eth_utils.crypto import keccak

from proofs.abi import load_artifact, same_code
from proofs.chain import Chain
from proofs.errors import WrongChain
from proofs.ezkl_build import Manifest
from proofs.ezkl_verifier import CONTRACT, VerifierCode, differs, generated
from proofs.records import BotVersion
from proofs.statement import STATEMENT_ID


async def read_verifier(chain: Chain, address: str) -> VerifierCode:
    """The code behind a custom bot's moves.  Raises ChainDown."""
    if not same_code(load_artifact(CONTRACT), await chain.code(address)):
        return VerifierCode(address, is_ours=False)
    halo2 = str(await _asked(chain, address, "halo2Verifier"))
    names = ("halo2CodeHash", "outputs", "proofLength")
    made_with = tuple([(name, await _asked(chain, address, name)) for name in names])
    return VerifierCode(address, True, await chain.code(halo2), made_with)


async def ensure_ezkl_bot(chain: Chain, folder: Path, metadata: str) -> BotVersion:
    """The version of a folder's net that we registered, deployed and registered now if need be.

    Raises ChainDown, ChainRejected.
    """
    manifest = Manifest.read(folder)
    hashes = (manifest.net_hash, manifest.circuit_hash, manifest.key_hash)
    for bot in await chain.bots():
        found = (bot.net_hash.hex(), bot.circuit_hash.hex(), bot.key_hash.hex())
        if (
            found == hashes
            and bot.custom
            and (bot.owner, bot.metadata) == (chain.address, metadata)
        ):
            return bot
    verifier = await _deploy(chain, folder, manifest)
    net, circuit, key = map(bytes.fromhex, hashes)
    return await chain.register_custom(net, circuit, key, STATEMENT_ID, verifier, metadata)


async def check_ezkl_bot(chain: Chain, folder: Path, bot: BotVersion) -> None:
    """Compare a registered bot with a folder that was made from its net here.

    Raises WrongChain, with what differs: hashes, code, or what the code was made with; ChainDown.
    """
    manifest = Manifest.read(folder)
    expected = {
        "net": (manifest.net_hash, bot.net_hash.hex()),
        "circuit": (manifest.circuit_hash, bot.circuit_hash.hex()),
        "verifying key": (manifest.key_hash, bot.key_hash.hex()),
        "statement": (STATEMENT_ID.hex(), bot.statement.hex()),
    }
    for what, (ours, theirs) in expected.items():
        if ours != theirs:
            raise WrongChain(f"bot {bot.id.hex()[:8]}: its {what} is {theirs}, not {ours}")
    if (problem := differs(await read_verifier(chain, bot.verifier), folder)) is not None:
        raise WrongChain(problem)


async def _deploy(chain: Chain, folder: Path, manifest: Manifest) -> str:
    """The address of a new EzklMoveVerifier around a new generated verifier."""
    halo2 = (await chain.send(None, generated(folder, "bytecode"))).contract
    assert halo2 is not None
    code_hash = keccak(await chain.code(halo2))
    artifact = load_artifact(CONTRACT)
    made = await chain.deploy(artifact, halo2, code_hash, manifest.outputs, manifest.proof_bytes)
    assert made.contract is not None
    return made.contract.lower()


async def _asked(chain: Chain, contract: str, function: str) -> object:
    """What a contract's constant function answers."""
    artifact = load_artifact(CONTRACT)
    call = {"to": contract, "data": "0x" + artifact.call(function).hex()}
    answer = await chain.rpc.sure("eth_call", call, "latest")
    return artifact.answer(function, bytes.fromhex(str(answer).removeprefix("0x")))
