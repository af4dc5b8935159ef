"""The protocol for machines: JSON Schema of both directions, with an example of each frame.

`checkproof protocol --out docs` writes what the server serves.
"""

from collections.abc import Iterable
from typing import Any, Final, get_args

from pydantic import BaseModel

from server import messages as m
from server import schema_examples as examples

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def json_schema() -> dict[str, Schema]:
    """`client`: what a server takes; `server`: what it sends.  One of many, told apart by `t`."""
    found: dict[str, Schema] = {}
    for name, whole in m.schema().items():
        definitions = whole["$defs"]
        _put_examples(definitions)
        found[name] = {"$schema": DIALECT, "title": f"A frame of the {name}'s", **whole}
    return found


def kind_of(frame: type[BaseModel]) -> str:
    """The type that a frame names in "t"."""
    kind: str = get_args(frame.model_fields["t"].annotation)[0]
    return kind


def frames(union: Any) -> dict[str, type[BaseModel]]:
    """The frames of a union, by their type."""
    return {kind_of(frame): frame for frame in get_args(union)}


def example_of(name: str) -> Schema | None:
    """The example of a frame, by its class."""
    return _EXAMPLES.get(name)


def _named(
    kinds: Iterable[tuple[str, type[BaseModel]]], known: dict[str, Schema]
) -> dict[str, Schema]:
    return {frame.__name__: known[kind] for kind, frame in kinds}


_EXAMPLES: Final = {
    **_named(frames(m.ClientFrame).items(), examples.commands()),
    **_named(frames(m.GameEvent).items(), examples.events()),
    **_named(frames(m.Reply).items(), examples.replies()),
}


def _put_examples(definitions: dict[str, Schema]) -> None:
    for name, schema in definitions.items():
        if (example := example_of(name)) is not None:
            schema["examples"] = [example]
