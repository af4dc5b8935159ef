"""A queue that is fair between groups: they take turns, and within one the first comes first.

    groups      a: a1 a2 a3     b: b1     c: c1 c2
    order       a1 b1 c1 a2 c2 a3

So a group that asks for much waits for itself, not the others for it.  Who takes the next may say
what it can use now: the others keep their turns.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from itertools import zip_longest
from typing import Final, Generic, TypeVar

T = TypeVar("T")
_NOTHING: Final = object()


class FairQueue(Generic[T]):
    """Items of groups; the group whose turn it is comes first in `_groups`."""

    def __init__(self) -> None:
        self._back: deque[T] = deque()
        self._groups: OrderedDict[Hashable, deque[T]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[T]:
        """All items, in the order in which they are next if no more come."""
        yield from self._back
        for turn in zip_longest(*self._groups.values(), fillvalue=_NOTHING):
            yield from (item for item in turn if item is not _NOTHING)  # type: ignore[misc]

    def add(self, group: Hashable, item: T) -> None:
        """Queue an item; a group that had none comes last."""
        self._groups.setdefault(group, deque()).append(item)
        self._size += 1

    def put_back(self, item: T) -> None:
        """Queue an item that had its turn already: it goes before all others."""
        self._back.append(item)
        self._size += 1

    def pop(self, fits: Callable[[T], bool] = lambda _: True) -> T | None:
        """The next item that fits, None if there is none.  A group's items keep their order."""
        for item in self._back:
            if fits(item):
                self._back.remove(item)
                self._size -= 1
                return item
        found = next((pair for pair in self._groups.items() if fits(pair[1][0])), None)
        if found is None:
            return None
        group, items = found
        item = items.popleft()
        self._size -= 1
        self._groups.move_to_end(group)
        if not items:
            del self._groups[group]
        return item

    def remove(self, group: Hashable, item: T) -> None:
        """Take an item out, if it is still here."""
        items = self._groups.get(group, deque())
        with suppress(ValueError):
            items.remove(item)
            self._size -= 1
            if not items:
                del self._groups[group]
