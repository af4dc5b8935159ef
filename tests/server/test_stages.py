"""The table of stages: what may follow what, and that nothing else may."""

from itertools import product
from typing import get_args

import pytest

from server.errors import IllegalTransition
from server.messages import Stage
from server.ply import Ply
from server.stages import NEXT, Kind, step

STAGES = (None, *get_args(Stage))
LIVES: dict[Kind, list[str]] = {
    "bot": ["proposed", "queued", "proving", "proved", "submitted", "verified"],
    "player": ["proposed", "submitted", "verified"],
    "opening": ["proposed", "submitted", "verified"],
}


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize(("before", "after"), list(product(STAGES, get_args(Stage))))
def test_illegal_transitions_raise_and_change_nothing(
    kind: Kind, before: Stage | None, after: Stage
) -> None:
    if after in NEXT[kind].get(before, frozenset()):
        assert step(kind, before, after) == after
        return
    with pytest.raises(IllegalTransition) as caught:
        step(kind, before, after)
    assert (caught.value.before, caught.value.after) == (before, after)


@pytest.mark.parametrize("by", ["bot", "player"])
@pytest.mark.parametrize(("before", "after"), list(product(STAGES, get_args(Stage))))
def test_a_ply_that_refuses_a_stage_stays_as_it_was(
    by: Kind, before: Stage | None, after: Stage
) -> None:
    assert by != "opening"
    ply = Ply(0, by, 0, "e2e4", "e4", "", b"", stage=before, at={})
    if after in NEXT[by].get(before, frozenset()):
        ply.advance(after, 5)
        assert (ply.stage, ply.at) == (after, {after: 5})
    else:
        with pytest.raises(IllegalTransition):
            ply.advance(after, 5)
        assert (ply.stage, ply.at) == (before, {})


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_life_goes_through_its_stages_in_order(kind: Kind) -> None:
    before: Stage | None = None
    for after in LIVES[kind]:
        assert after in NEXT[kind][before]
        before = step(kind, before, after)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_verified_and_rejected_are_the_end(kind: Kind) -> None:
    assert NEXT[kind]["verified"] == NEXT[kind]["rejected"] == frozenset()


@pytest.mark.parametrize("kind", get_args(Kind))
def test_no_bot_move_is_sent_without_a_proof(kind: Kind) -> None:
    before_sent = {before for before, after in NEXT[kind].items() if "submitted" in after}
    assert before_sent == ({"proved"} if kind == "bot" else {"proposed"})
