import random

from proofs.fair_queue import FairQueue


def drained(queue: FairQueue[str]) -> list[str]:
    found = []
    while (item := queue.pop()) is not None:
        found.append(item)
    return found


def filled(*items: str) -> FairQueue[str]:
    """Each item's first letter is its group."""
    queue: FairQueue[str] = FairQueue()
    for item in items:
        queue.add(item[0], item)
    return queue


def test_groups_take_turns_and_within_one_the_first_comes_first() -> None:
    queue = filled("a1", "a2", "a3", "b1", "c1", "c2")
    assert list(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert drained(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert queue.pop() is None


def test_a_flood_delays_others_by_one_item_each() -> None:
    queue = filled(*(f"a{k:02}" for k in range(50)))
    assert queue.pop() == "a00"
    queue.add("b", "b1")
    queue.add("c", "c1")
    assert [queue.pop() for _ in range(4)] == ["a01", "b1", "c1", "a02"]
    queue.add("b", "b2")
    assert [queue.pop() for _ in range(2)] == ["a03", "b2"]


def test_what_is_put_back_goes_before_all_others() -> None:
    queue = filled("a1", "b1")
    first = queue.pop()
    assert first == "a1"
    queue.put_back(first)
    assert list(queue) == ["a1", "b1"]
    assert drained(queue) == ["a1", "b1"]


def test_what_is_removed_is_gone() -> None:
    queue = filled("a1", "a2", "b1")
    queue.remove("a", "a1")
    queue.remove("a", "a1")
    queue.remove("z", "z1")
    queue.remove("b", "b1")
    assert len(queue) == 1
    assert drained(queue) == ["a2"]


def test_the_order_that_is_told_is_the_order_that_comes() -> None:
    rolls = random.Random(7)
    queue: FairQueue[str] = FairQueue()
    for step in range(500):
        if rolls.random() < 0.6:
            group = rolls.choice("abcdef")
            queue.add(group, f"{group}{step}")
        else:
            told = list(queue)
            assert len(told) == len(queue)
            assert queue.pop() == (told[0] if told else None)
    told = list(queue)
    assert drained(queue) == told
    assert len(queue) == 0


def test_who_cannot_use_the_next_takes_another_and_the_turns_stay() -> None:
    queue = filled("q1", "q2", "a1", "b1")
    queue.put_back("q0")
    assert queue.pop(lambda item: item[0] != "q") == "a1"
    assert queue.pop(lambda item: item[0] == "z") is None
    assert len(queue) == 4
    assert drained(queue) == ["q0", "q1", "b1", "q2"]


def test_a_group_keeps_its_order() -> None:
    queue = filled("a1", "a2")
    assert queue.pop(lambda item: item == "a2") is None
    assert queue.pop(lambda item: item == "a1") == "a1"
