"""The seeded script of a campaign."""

from itertools import islice

from server.bench.script import KINDS, script


def test_aSeedDecidesEverything() -> None:
    first = list(islice(script(7, every=5), 60))
    assert first == list(islice(script(7, every=5), 60))
    assert first != list(islice(script(8, every=5), 60))


def test_everyKindComesBeforeAnyComesAgain() -> None:
    faults = [fault.kind for fault in islice(script(3, every=5), 3 * len(KINDS))]
    for start in range(0, len(faults), len(KINDS)):
        assert set(faults[start : start + len(KINDS)]) == set(KINDS)


def test_gapsAreAboutAsWished() -> None:
    gaps = [fault.gap for fault in islice(script(3, every=6), 400)]
    assert min(gaps) == 1
    assert 5 < sum(gaps) / len(gaps) < 7
    assert {fault.gap for fault in islice(script(3, every=1), 40)} == {1}


def test_hasteShortensTimes() -> None:
    slow = list(islice(script(3, every=5), 40))
    quick = list(islice(script(3, every=5, haste=4), 40))
    assert [fault.kind for fault in quick] == [fault.kind for fault in slow]
    assert sum(f.seconds for f in quick) * 4 == sum(f.seconds for f in slow)
