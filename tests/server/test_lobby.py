"""What the lobby is told, who may embed a board, and whom a page may ask."""

import hashlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import engine
from engine.net import house_net, house_nets
from server.info import offered_endpoint
from server.lobby import STRENGTH, featured, records
from tests.server.conftest import Served
from tests.server.fakes import BOT, OTHER_BOT
from tests.web.staged import Staged

NODE = "http://127.9.8.7:4321"
GAME = "0x" + "ab" * 32


async def told(served: Served) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{served.url}api/lobby") as response:
        assert response.status == 200
        answer: dict[str, Any] = await response.json()
        return answer


async def policy_of(served: Served, path: str, **headers: str) -> dict[str, str]:
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{served.url}{path}") as response,
    ):
        assert response.status == 200
        return dict(response.headers)


async def test_nothing_is_featured_while_nobody_plays(served: Served) -> None:
    nothing: dict[str, Any] = {
        "games": [],
        "featured": None,
        "watching": 0,
        "records": {},
        "strength": {},
    }
    assert await told(served) == nothing


async def test_games_that_go_on_come_first(served: Served) -> None:
    going, over = Staged(served.arena), Staged(served.arena, name="other")
    await going.play("e4")
    await over.play("d4")
    await over.resign()
    games = (await told(served))["games"]
    assert [game["game"] for game in games] == [going.id, over.id]
    assert games[0]["fen"] == going.fen


async def test_the_answer_is_made_once_for_all_who_ask(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.lobby._KEPT_SECONDS", 600)
    before = await told(served)
    Staged(served.arena)
    assert await told(served) == before


async def test_a_game_that_goes_on_is_featured_until_it_ends(served: Served) -> None:
    game = Staged(served.arena)
    await game.play("e4")
    assert (await told(served))["featured"] == game.id
    await game.resign()
    assert featured(served.arena.games(), served.clock()) is None


async def test_a_persons_game_comes_before_two_bots(served: Served) -> None:
    bots = Staged(served.arena, white=OTHER_BOT)
    person = Staged(served.arena)
    await person.play("e4")
    assert featured(served.arena.games(), served.clock()) is person.hosted
    await person.resign()
    assert featured(served.arena.games(), served.clock()) in (bots.hosted, None)


async def test_a_game_whose_clock_ran_out_is_not_featured(served: Served) -> None:
    game = Staged(served.arena, base=60)
    await game.play("e4")
    served.clock.time += 61
    assert featured(served.arena.games(), served.clock()) is None


async def test_a_bots_finished_games_are_counted(served: Served) -> None:
    game = Staged(served.arena)
    await game.play("e4")
    assert records(served.arena.games()) == {}
    await game.resign()
    found = records(served.arena.games())
    assert {bot: (r.wins, r.draws, r.losses) for bot, r in found.items()} == {
        "0x" + BOT.hex(): (1, 0, 0)
    }


async def test_only_a_small_board_may_be_embedded(served: Served) -> None:
    for path in ("", "tv", f"replay/{GAME}", f"game/{GAME}"):
        headers = await policy_of(served, path)
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
    headers = await policy_of(served, f"embed/{GAME}")
    assert "frame-ancestors *" in headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in headers
    assert "script-src 'self';" in headers["Content-Security-Policy"]


def connects(headers: dict[str, str]) -> set[str]:
    (line,) = (
        part
        for part in headers["Content-Security-Policy"].split("; ")
        if part.startswith("connect-src")
    )
    return set(line.split()[1:])


async def test_only_the_checker_may_ask_chain_endpoints(served: Served) -> None:
    assert served.site.info is not None
    served.site.info = served.site.info.model_copy(update={"rpc_url": NODE})
    page = connects(await policy_of(served, f"watch/{GAME}"))
    assert not {"https:", NODE} & page
    checker = connects(await policy_of(served, "web/js/verify_worker.js"))
    assert {"'self'", "https:", NODE} <= checker
    assert "http:" not in checker


@pytest.mark.parametrize(("host", "is_told"), [(None, True), ("evil.example:80", False)])
async def test_the_local_chains_address_is_told_to_local_pages_alone(
    served: Served, host: str | None, is_told: bool
) -> None:
    assert served.site.info is not None
    served.site.info = served.site.info.model_copy(update={"rpc_url": NODE})
    headers = {} if host is None else {"Host": host}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{served.url}api/config") as response,
    ):
        assert (await response.json())["rpcUrl"] == (NODE if is_told else None)
    checker = connects(await policy_of(served, "web/js/verify_worker.js", **headers))
    assert (NODE in checker) is is_told


@pytest.mark.parametrize(
    ("rpc", "is_offered"),
    [
        ("http://127.0.0.1:8545", True),
        (NODE, True),
        ("http://localhost:8545/", True),
        ("https://rpc.example/v3/secret", False),
        ("http://user:secret@127.0.0.1:8545", False),
        ("http://127.0.0.1:8545/secret", False),
        ("http://10.0.0.1:8545", False),
    ],
)
def test_an_operators_own_endpoint_is_never_offered(rpc: str, is_offered: bool) -> None:
    assert offered_endpoint(rpc) == (rpc if is_offered else None)


def test_strengths_are_those_of_the_shipped_nets() -> None:
    """A net that is trained anew has another hash, and a strength still to be measured."""
    nets = Path(engine.__file__).parent / "nets"
    rook = hashlib.sha256((nets / "rook.onnx").read_bytes()).hexdigest()
    assert set(STRENGTH) == {rook, *(house_net(name).hash for name in house_nets())}
    assert all((known.elo is None) == (known.error is None) for known in STRENGTH.values())
