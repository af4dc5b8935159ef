"""Who makes a bot's moves here: found by the hashes that its registration names.

A house net is shipped, and its proving key in the key store, or fetched from a server by the hash
of its verifying key.  An ONNX bot's folder is in the data folder, or made from the net's file and
setup that a server names.  A server is not believed: a key that does not prove, or a folder whose
verifying key is another one, is not kept.  Keys that it sent are kept apart from the data folder's
own, lest a server of ours takes one for the key that it made.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from groth16py import ProvingKey

from engine.encoding import Position
from engine.game import Game
from engine.net import NetSpec, house_net, house_nets
from engine.player import choose
from proofs.audit_fetch import FileServer
from proofs.circuit import MoveCircuit, compile_circuit
from proofs.errors import BotFilesMissing, ProofError
from proofs.ezkl_bots import store_of
from proofs.ezkl_folder import made_folders
from proofs.ezkl_prover import EzklProver, import_net
from proofs.keys import DEVELOPMENT, KeyRecord, KeyStore
from proofs.open_prover import Maker, MakerOf
from proofs.prove import Prover
from proofs.records import BotVersion
from proofs.statement import Statement

Tell = Callable[[str], None]


class HouseMaker:
    """A house net and its key, which takes seconds to load."""

    def __init__(self, net: NetSpec, record: KeyRecord) -> None:
        self._net = net
        self._prover = Prover(net, record)

    @property
    def circuit(self) -> MoveCircuit:
        return self._prover.circuit

    @property
    def proving_key(self) -> ProvingKey:
        return self._prover.proving_key

    def choose(self, position: Position, mask: int, dice: int) -> int:
        return choose(self._net, position, mask, dice)

    def prove(self, statement: Statement) -> bytes:
        return self._prover.prove(statement).proof


class OnnxMaker:
    """An ONNX bot's folder, and a process of ezkl for as long as this one lives."""

    def __init__(self, folder: Path) -> None:
        self._prover = EzklProver(folder)

    def choose(self, position: Position, mask: int, dice: int) -> int:  # noqa: ARG002
        return self._prover.choose(position.board, position.context, mask)

    def prove(self, statement: Statement) -> bytes:
        return self._prover.prove(statement).proof


def makers_of(
    data: Path, bots: Mapping[bytes, BotVersion], *, server: str | None, tell: Tell
) -> MakerOf:
    """Finds makers in a data folder, and on a server if one is named."""

    def maker_of(bot: bytes) -> Maker:
        version = bots.get(bot)
        if version is None:
            raise BotFilesMissing("0x" + bot.hex(), "no such bot is registered")
        files = None if server is None else FileServer(server, data / "fetched")
        try:
            if version.custom:
                return OnnxMaker(_folder(version, store_of(data), files, tell))
            return _house_maker(version, data, files, tell)
        except BotFilesMissing:
            raise
        except ProofError as error:
            raise BotFilesMissing("0x" + bot.hex(), str(error)) from error

    return maker_of


def _house_maker(bot: BotVersion, data: Path, files: FileServer | None, tell: Tell) -> HouseMaker:
    nets = (house_net(name) for name in house_nets())
    net = next((net for net in nets if net.hash == bot.net_hash.hex()), None)
    if net is None:
        raise BotFilesMissing("0x" + bot.id.hex(), "its net is no house net of this version")
    key_hash = bot.key_hash.hex()
    fetched = KeyStore(data / "fetched" / "keys")
    record = KeyStore(data / "keys").find(key_hash) or fetched.find(key_hash)
    if record is None and files is not None:
        return _fetched(net, key_hash, fetched, files, tell)
    if record is None:
        why = f"its proving key {key_hash} is not here; name a server that has it by --url"
        raise BotFilesMissing("0x" + bot.id.hex(), why)
    tell(f"loading the key of {net.name}")
    return HouseMaker(net, record)


def _fetched(
    net: NetSpec, key_hash: str, store: KeyStore, files: FileServer, tell: Tell
) -> HouseMaker:
    """One with a key that a server sent, which is kept if it proves; it is loaded once."""
    tell("fetching the proving key")
    with TemporaryDirectory() as folder:
        proving = Path(folder) / "proving_key.bin"
        vk = files.keys_of(key_hash, proving)
        tell("trying it")
        circuit = compile_circuit(net).hash
        tried = HouseMaker(net, KeyRecord(circuit, key_hash, vk, proving, DEVELOPMENT, net.name))
        position, mask = Game().position, Game().mask
        index = tried.choose(position, mask, 0)
        tried.prove(Statement.of(position, mask, index, payee=0, dice=0))
        store.add_fetched(tried.circuit, vk, tried.proving_key)
        return tried


def _folder(bot: BotVersion, store: Path, files: FileServer | None, tell: Tell) -> Path:
    wanted = bot.key_hash.hex()
    for folder, made in made_folders(store):
        if made.key_hash == wanted:
            return folder
    if files is None:
        why = "its net is not here; name a server that has it by --url"
        raise BotFilesMissing("0x" + bot.id.hex(), why)
    tell("fetching the net and its setup, and making its keys (minutes)")
    net, setup = files.files_of(wanted)
    folder = import_net(net, store, srs=setup)
    if not any(made.key_hash == wanted for at, made in made_folders(store) if at == folder):
        raise BotFilesMissing("0x" + bot.id.hex(), "what the server has makes another key")
    return folder
