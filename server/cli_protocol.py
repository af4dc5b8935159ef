"""`checkproof protocol`: the protocol's documents, as a server of this version serves them."""

import json
from pathlib import Path
from typing import Any

from server.asyncapi import document
from server.schema import json_schema


def documents() -> dict[str, Any]:
    """By the file that each is kept in."""
    return {"asyncapi.json": document(), "schema.json": json_schema()}


def text_of(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def run_protocol(folder: Path | None) -> None:
    """Write them into a folder, or the AsyncAPI document, which holds both, to stdout."""
    if folder is None:
        print(text_of(document()), end="")
        return
    for name, value in documents().items():
        (folder / name).write_text(text_of(value), encoding="utf-8")
