"""What a proof will take, before any was seen."""

import pytest

from server.expected import SECONDS_PER_CONSTRAINT, expected_seconds
from server.info import BotInfo
from tests.server.fake_arena import fake_info


def bot(version: str, constraints: int | None) -> BotInfo:
    seen = {"version": version, "constraints": constraints}
    return fake_info().bots[0].model_copy(update=seen)


BOTS = [bot("0x01", 50_000), bot("0x02", 100_000), bot("0x03", 500_000), bot("0x04", None)]


def expected(seen: dict[int, float]) -> dict[str, float]:
    return expected_seconds(BOTS, lambda version: seen.get(version[0]))


def test_without_a_proof_anywhere_it_is_what_one_took_elsewhere() -> None:
    assert expected({}) == {
        b.version: b.constraints * SECONDS_PER_CONSTRAINT for b in BOTS if b.constraints is not None
    }


def test_what_was_seen_is_told_and_the_others_follow_from_the_nearest() -> None:
    found = expected({1: 1.0, 3: 20.0, 4: 99.0})
    assert found == pytest.approx({"0x01": 1.0, "0x02": 2.0, "0x03": 20.0, "0x04": 99.0})


def test_nothing_is_said_of_a_bot_that_is_still_being_made() -> None:
    assert expected_seconds([bot("", 5)], lambda _: 1.0) == {}
