"""So much of JSON Schema as the protocol's documents use; anything else in one is an error."""

import json
import re
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_SAID = {"$schema", "$defs", "title", "description", "default", "examples", "discriminator"}


class Mismatch(Exception):
    """A value that its schema does not allow; str() says where."""


class Schemas:
    """A document, with the schemas that it holds."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def check(self, value: Any, schema: dict[str, Any], where: str = "$") -> None:
        """Raises Mismatch; KeyError for a word of JSON Schema that is not known here."""
        for word, asked in sorted(schema.items(), key=lambda item: item[0] != "type"):
            if word not in _SAID:
                self._check_word(word, asked, value, schema, where)

    def _check_word(  # noqa: PLR0912 a table would hide what each word means
        self, word: str, asked: Any, value: Any, schema: dict[str, Any], where: str
    ) -> None:
        def fail(why: str) -> Mismatch:
            return Mismatch(f"{where}: {json.dumps(value)[:80]} {why}")

        match word:
            case "$ref":
                self.check(value, self.find(asked), where)
            case "type":
                is_bool = isinstance(value, bool) and asked != "boolean"
                if is_bool or not isinstance(value, _TYPES[asked]):
                    raise fail(f"is no {asked}")
            case "const" | "enum":
                if value not in ([asked] if word == "const" else asked):
                    raise fail(f"is not {asked}")
            case "oneOf" | "anyOf":
                fits = sum(self._fits(value, one, where) for one in asked)
                if fits == 0 or (word == "oneOf" and fits > 1):
                    raise fail(f"fits {fits} of {len(asked)} schemas")
            case "pattern":
                if not re.search(asked, value):
                    raise fail(f"does not match {asked}")
            case "minimum":
                if value < asked:
                    raise fail(f"is below {asked}")
            case "exclusiveMaximum":
                if value >= asked:
                    raise fail(f"is not below {asked}")
            case "maxLength":
                if isinstance(value, str) and len(value) > asked:
                    raise fail(f"is longer than {asked}")
            case "required":
                if missing := set(asked) - set(value):
                    raise fail(f"lacks {sorted(missing)}")
            case "properties":
                for name, inner in asked.items():
                    if name in value:
                        self.check(value[name], inner, f"{where}.{name}")
            case "additionalProperties":
                for name in set(value) - set(schema.get("properties", ())):
                    if asked is False:
                        raise fail(f"has {name!r} too much")
                    self.check(value[name], asked, f"{where}.{name}")
            case "items":
                for number, item in enumerate(value):
                    self.check(item, asked, f"{where}[{number}]")
            case _:
                raise KeyError(word)

    def _fits(self, value: Any, schema: dict[str, Any], where: str) -> bool:
        try:
            self.check(value, schema, where)
        except Mismatch:
            return False
        return True

    def find(self, reference: str) -> Any:
        """What `#/a/b` refers to."""
        found: Any = self._document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return found
