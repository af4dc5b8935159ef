"""Fetching a house bot's key from servers that are honest, or lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from engine.net import NetSpec
from proofs import makers
from proofs.errors import BotFilesMissing
from proofs.keys import KeyRecord, KeyStore
from proofs.makers import makers_of
from proofs.open_prover import Maker
from proofs.records import BotVersion
from tests.engine.nets import random_net
from tests.proofs.keys_fixture import store_for
from tests.proofs.test_audit_fetch import Server

BOT = bytes(31) + b"\1"


@dataclass(frozen=True)
class Offered:
    """A server with a key for a bot whose net is at hand."""

    server: Server
    key: KeyRecord
    net: NetSpec

    def maker(self, data: Path) -> Maker:
        hashes = {
            "net_hash": bytes.fromhex(self.net.hash),
            "key_hash": bytes.fromhex(self.key.key_hash),
        }
        bot = cast(BotVersion, SimpleNamespace(id=BOT, custom=False, **hashes))
        return makers_of(data, {BOT: bot}, server=self.server.url, tell=lambda _line: None)(BOT)


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Offered]:
    net = random_net(77, channels=(1,), magnitude=1)
    monkeypatch.setattr(makers, "house_nets", lambda: ("tiny",))
    monkeypatch.setattr(makers, "house_net", lambda _name: net)
    key, server = store_for(net)[1], Server()
    server.pages[f"/keys/{key.key_hash}/verifying"] = key.vk
    server.pages[f"/keys/{key.key_hash}/proving"] = key.proving_key.read_bytes()
    yield Offered(server, key, net)
    server.close()


def test_a_fetched_key_proves_and_is_kept_apart(offered: Offered, tmp_path: Path) -> None:
    offered.maker(tmp_path)
    asked = len(offered.server.asked)
    offered.maker(tmp_path)
    assert len(offered.server.asked) == asked
    # what `serve` makes and registers keys from knows nothing of it
    assert KeyStore(tmp_path / "keys").records() == []


def test_a_key_that_does_not_prove_is_not_kept(offered: Offered, tmp_path: Path) -> None:
    proving = f"/keys/{offered.key.key_hash}/proving"
    honest = offered.server.pages[proving]
    other = KeyStore(tmp_path / "other").ensure_dev_key(offered.net)
    for lie in (other.proving_key.read_bytes(), honest[: len(honest) // 2]):
        offered.server.pages[proving] = lie
        with pytest.raises(BotFilesMissing):
            offered.maker(tmp_path)
    offered.server.pages[proving] = honest
    offered.maker(tmp_path)


def test_a_key_of_another_circuit_is_not_kept(offered: Offered, tmp_path: Path) -> None:
    another = store_for(random_net(79, channels=(), magnitude=1))[1]
    proving = f"/keys/{offered.key.key_hash}/proving"
    offered.server.pages[proving] = another.proving_key.read_bytes()
    with pytest.raises(BotFilesMissing):
        offered.maker(tmp_path)
