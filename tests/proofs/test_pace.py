import pytest

from proofs.pace import REMEMBERED, Pace, Patience, finishes


def test_medians_are_kept_by_key_and_in_all() -> None:
    pace = Pace()
    assert pace.median() is None
    assert pace.expected("a") is None
    for seconds in (1.0, 2.0, 9.0):
        pace.note("a", seconds)
    pace.note("b", 20.0)
    assert pace.median("a") == 2.0
    assert pace.expected("b") == 20.0
    assert pace.median("c") is None
    assert pace.expected("c") == pace.median() == 5.5


def test_only_the_latest_count() -> None:
    pace = Pace()
    for seconds in [100.0] * REMEMBERED + [1.0] * REMEMBERED:
        pace.note("a", seconds)
    assert pace.median("a") == 1.0


@pytest.mark.parametrize(
    ("median", "times_stuck", "seconds"),
    [(None, 0, 120), (None, 1, 240), (0.5, 0, 20), (1.5, 0, 20), (4.0, 0, 40), (4.0, 2, 160)],
)
def test_a_job_is_stuck_by_what_others_took(
    median: float | None, times_stuck: int, seconds: float
) -> None:
    assert Patience().for_job(median, times_stuck) == seconds


def test_one_worker_does_one_after_another() -> None:
    assert list(finishes([0.5], [2.0, 2.0, 1.0])) == [2.5, 4.5, 5.5]


def test_the_next_job_goes_to_who_is_free_first() -> None:
    assert list(finishes([1.0, 0.0], [2.0, 2.0, 2.0, 2.0])) == [2.0, 3.0, 4.0, 5.0]


def test_what_is_not_known_is_not_told() -> None:
    assert list(finishes([], [1.0, 1.0])) == [None, None]
    assert list(finishes([0.0], [1.0, None, 1.0])) == [1.0, None, None]


def test_a_larger_key_is_expected_to_take_longer() -> None:
    pace = Pace()
    pace.size("pawn", 50_000)
    pace.size("queen", 500_000)
    assert pace.expected("queen") is None
    pace.note("onnx", 60.0)
    assert pace.expected("queen") == 60.0  # of no known size: the best guess there is
    pace.note("pawn", 1.5)
    assert pace.expected("queen") == pytest.approx(15.0)
    assert pace.median("queen") is None
    pace.size("knight", 100_000)
    pace.note("queen", 20.0)
    assert pace.expected("queen") == 20.0
    assert pace.expected("knight") == pytest.approx(3.0)  # as the pawn's, which is nearer


@pytest.mark.parametrize(("expected", "seconds"), [(None, 120), (1.0, 120), (30.0, 300)])
def test_a_large_nets_first_job_has_the_time_it_needs(
    expected: float | None, seconds: float
) -> None:
    patience = Patience()
    assert patience.for_job(None, 0, expected_s=expected) == seconds
    assert patience.for_job(None, 1, expected_s=expected) == 2 * seconds
    assert patience.for_job(1.0, 0, expected_s=expected) == 20
