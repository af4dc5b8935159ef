"""A server child: started, killed, started again, and told to stop."""

import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from server.bench.host import Host, children_of, is_alive, lend_key, wait_gone
from server.errors import HostFailed
from tests.proofs.keys_fixture import dev_store


async def seen_foreman(host: Host) -> int:
    """Games can be played a moment before it is there."""
    async with asyncio.timeout(60):
        while (found := host.foreman()) is None:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.05)
    return found


async def test_host_isKilledStartedAgainAndStopped(tmp_path: Path) -> None:
    store, _ = dev_store()
    async with await Host.fresh(tmp_path, keys=store.root) as host:
        url, foreman = host.url, await seen_foreman(host)
        assert foreman in (family := host.family())
        assert host.rss_mb() > 10
        assert host.cpu_seconds() > 0
        await host.kill()
        assert not any(map(is_alive, family))
        await host.start()
        assert host.url == url, "players come back to where they were"
        async with aiohttp.ClientSession() as http, http.get(f"{url}/api/games") as answer:
            assert answer.status == 200
        family = host.family()
        assert await host.stop(signal.SIGTERM) == 0
        assert await wait_gone(set(family)) == set()
        assert host.status == 0
        assert host.tail()


@pytest.mark.parametrize("where", ["environment", "file"])
async def test_host_takesNoSettingsFromAroundIt(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if where == "file":
        (tmp_path / "checkproof.toml").write_text('log = "no such way"\n')
    else:
        monkeypatch.setenv("CHECKPROOF_LOG", "no such way")
    host = Host(Path("data"), options=("--bot", "nobody"))
    with pytest.raises(HostFailed, match="nobody"):
        await host.start()


async def test_host_failsWithTheServersOwnWords(tmp_path: Path) -> None:
    host = Host(tmp_path / "data", options=("--bot", "nobody"))
    with pytest.raises(HostFailed, match="nobody"):
        await host.start()
    assert not host.alive
    assert host.family() == []


def test_lendKey_leavesTheStoreAlone(tmp_path: Path) -> None:
    store, record = dev_store()
    lend_key(store.root, tmp_path / "keys", "pawn")
    lend_key(store.root, tmp_path / "keys", "pawn")
    lent = tmp_path / "keys" / record.key_hash
    assert (lent / "verifying_key.bin").read_bytes() == record.vk


def test_childrenOf_nobodyIsNone() -> None:
    assert children_of(2**22 + 1) == set()
