"""Commitments: secret, bounded, and good for a while."""

import pytest

from proofs.statement import commitment
from server.errors import CommandRefused
from server.offers import Offers
from tests.server.fakes import BOT


def test_an_offer_commits_to_a_fresh_secret() -> None:
    offers = Offers()
    first, second = offers.make(BOT, 100.5), offers.make(BOT, 100.5)
    assert first.commitment == commitment(first.secret)
    assert first.secret != second.secret
    assert first.expires == 700
    assert offers.look(first.commitment, 699) is first


def test_an_offer_serves_one_game() -> None:
    offers = Offers()
    offer = offers.make(BOT, 0)
    offers.use(offer)
    with pytest.raises(CommandRefused) as caught:
        offers.look(offer.commitment, 1)
    assert caught.value.code == "offer_unknown"


def test_an_offer_expires_and_is_forgotten() -> None:
    offers = Offers(lifetime=10)
    offer = offers.make(BOT, 0)
    for code in ("offer_expired", "offer_unknown"):
        with pytest.raises(CommandRefused) as caught:
            offers.look(offer.commitment, 10)
        assert caught.value.code == code


def test_offers_are_bounded_and_the_oldest_gives_way() -> None:
    offers = Offers(limit=3)
    made = [offers.make(BOT, 0) for _ in range(5)]
    assert len(offers) == 3
    assert offers.look(made[2].commitment, 1) is made[2]
    with pytest.raises(CommandRefused):
        offers.look(made[1].commitment, 1)
