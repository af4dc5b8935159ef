"""Small faults to put into Solidity sources, one at a time.

an operator       a < b becomes a <= b, a & b becomes a | b, !a becomes a, ...
a number          one more; of a long hexadecimal one, one bit
a condition       if (a) becomes if (true), if (false)
a statement       an assignment, a call or a revert is left out
an instruction    of inline assembly: shl becomes shr, and becomes or, ...
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""
      (?P<comment> //[^\n]* | /\*.*?\*/ )
    | (?P<string> "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' )
    | (?P<number> 0x[0-9a-fA-F_]+ | \d[\d_]* )
    | (?P<word> [A-Za-z_$][\w$]* )
    | (?P<operator> <<= | >>= | => | -> | := | \+\+ | -- | == | != | <= | >= | && | \|\| | << | >>
                    | [-+*/%&|^]= | \S )
    """,
    re.VERBOSE | re.DOTALL,
)
_OPERATORS: Final = {
    "==": "!=",
    "!=": "==",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "%": "*",
    "&": "|",
    "|": "&",
    "^": "&",
    "<<": ">>",
    ">>": "<<",
    "&&": "||",
    "||": "&&",
    "!": "",
    "~": "",
    "+=": "-=",
    "-=": "+=",
    "|=": "&=",
    "&=": "|=",
    "^=": "|=",
    "<<=": ">>=",
    ">>=": "<<=",
}
_INSTRUCTIONS: Final = {
    "add": "sub",
    "sub": "add",
    "mul": "add",
    "shl": "shr",
    "shr": "shl",
    "and": "or",
    "or": "and",
    "lt": "gt",
    "gt": "lt",
    "iszero": "not",
}
_NO_STATEMENT: Final = frozenset(
    {"return", "import", "using", "event", "error", "type", "struct", "enum", "pragma", "assembly"}
    | {"let", "break", "continue", "if", "for", "while", "else", "unchecked"}
)
_DEFINITIONS: Final = frozenset({"function", "constructor", "struct", "library", "contract"})
_TWO_WORDS: Final = frozenset({"revert", "emit", "delete"})
_TYPE: Final = re.compile(r"(u?int\d*|bytes\d*|bool|address|string|mapping|[A-Z]\w*)$")
_LONG: Final = 12  # characters, from which on a hexadecimal number is a table rather than a number


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Mutant:
    """`file` with the characters from `start` to `end` replaced."""

    id: str
    """The same as long as the function around it does not change, but for comments and layout."""
    file: str
    line: int
    column: int
    start: int
    end: int
    before: str
    after: str

    def apply(self, source: str) -> str:
        assert source[self.start : self.end] == self.before
        return source[: self.start] + self.after + source[self.end :]

    def __str__(self) -> str:
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return (
            f"{self.file}:{self.line}:{self.column}  {before[:60]}  ->  {after[:60] or 'nothing'}"
        )


def mutants(file: str, source: str) -> list[Mutant]:
    """Every fault that this file knows to put into `source`, in its order."""
    tokens = tokenize(source)
    body = [i for i in range(len(tokens)) if not _is_heading(tokens, i)]
    parts = _parts(tokens)
    found: list[tuple[int, int, str]] = []
    for i in body:
        found += _of_token(tokens, i)
        found += _of_condition(tokens, i)
        found += _of_statement(tokens, i)
    return [
        _mutant(file, source, _name(file, parts, (start, end), after), (start, end, after))
        for start, end, after in sorted(set(found))
        if source[start:end] != after
    ]


def _mutant(file: str, source: str, name: str, change: tuple[int, int, str]) -> Mutant:
    start, end, after = change
    line = source.count("\n", 0, start) + 1
    column = start - source.rfind("\n", 0, start)
    return Mutant(name, file, line, column, start, end, source[start:end], after)


def _parts(tokens: Sequence[Token]) -> list[list[Token]]:
    """A source cut into functions, structs and what stands before each."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.text in _DEFINITIONS:
            parts.append([])
        parts[-1].append(token)
    return parts


def _name(file: str, parts: Sequence[Sequence[Token]], place: tuple[int, int], after: str) -> str:
    """What is changed, where in its part of the source, and to what, as a hash."""
    start, end = place
    part = next(p for p in reversed(parts) if p and p[0].start <= start)
    text = " ".join(token.text for token in part)
    before = sum(token.start < start for token in part)
    inside = sum(start <= token.start < end for token in part)
    return hashlib.sha256(f"{file}:{text}:{before}:{inside}:{after}".encode()).hexdigest()[:12]


def tokenize(source: str) -> list[Token]:
    """The tokens of Solidity source, comments left out."""
    matches = _TOKEN.finditer(source)
    return [Token(m.lastgroup or "", m[0], m.start()) for m in matches if m.lastgroup != "comment"]


def _is_heading(tokens: Sequence[Token], i: int) -> bool:
    """Whether a token belongs to a pragma, an import or a using."""
    while i >= 0 and tokens[i].text not in (";", "}"):
        if tokens[i].text in ("pragma", "import", "using"):
            return True
        i -= 1
    # the names in braces of an import are behind a brace, not before the word
    return i >= 0 and tokens[i].text == "}" and _next_text(tokens, i) == "from"


def _next_text(tokens: Sequence[Token], i: int) -> str:
    return tokens[i + 1].text if i + 1 < len(tokens) else ""


def _of_token(tokens: Sequence[Token], i: int) -> Iterator[tuple[int, int, str]]:
    token = tokens[i]
    if token.kind == "operator" and token.text in _OPERATORS:
        yield token.start, token.end, _OPERATORS[token.text]
    elif token.kind == "number":
        yield token.start, token.end, _other_number(token)
    elif token.text in _INSTRUCTIONS and _next_text(tokens, i) == "(" and not _is_member(tokens, i):
        yield token.start, token.end, _INSTRUCTIONS[token.text]
    elif token.text in ("true", "false"):
        yield token.start, token.end, "false" if token.text == "true" else "true"


def _is_member(tokens: Sequence[Token], i: int) -> bool:
    return i > 0 and tokens[i - 1].text in (".", "function")


def _other_number(token: Token) -> str:
    text = token.text.replace("_", "")
    if not text.startswith("0x"):
        return str(int(text) + 1)
    value, digits = int(text, 16), len(text) - 2
    bit = token.start % (4 * digits) if len(text) >= _LONG else 0
    return f"0x{value ^ 1 << bit:0{digits}x}"


def _of_condition(tokens: Sequence[Token], i: int) -> Iterator[tuple[int, int, str]]:
    if tokens[i].text == "if" and _next_text(tokens, i) == "(":
        last = _closing(tokens, i + 1)
        for value in ("true", "false"):
            yield tokens[i + 1].end, tokens[last].start, value


def _closing(tokens: Sequence[Token], i: int) -> int:
    """The index of the parenthesis that closes the one at `i`."""
    depth = 0
    for k in range(i, len(tokens)):
        depth += (tokens[k].text == "(") - (tokens[k].text == ")")
        if depth == 0:
            return k
    raise ValueError("a parenthesis is never closed")


def _of_statement(tokens: Sequence[Token], i: int) -> Iterator[tuple[int, int, str]]:
    if not _begins_statement(tokens, i) or tokens[i].kind != "word":
        return
    if tokens[i].text in _NO_STATEMENT or _declares(tokens, i):
        return
    for k in range(i, len(tokens)):
        if tokens[k].text in ("{", "}"):
            return
        if tokens[k].text == ";":
            yield tokens[i].start, tokens[k].end, "{}"
            return


def _begins_statement(tokens: Sequence[Token], i: int) -> bool:
    before = tokens[i - 1].text if i else ""
    if before in ("{", "}", "else"):
        return True
    if before == ";":
        return _depth(tokens, i) == 0
    if before == ")":
        opening = _opening(tokens, i - 1)
        return opening > 0 and tokens[opening - 1].text in ("if", "for", "while")
    return False


def _depth(tokens: Sequence[Token], i: int) -> int:
    """How many parentheses are open at `i`, since the last brace."""
    depth = 0
    for k in range(i - 1, -1, -1):
        if tokens[k].text in ("{", "}"):
            break
        depth += (tokens[k].text == "(") - (tokens[k].text == ")")
    return depth


def _opening(tokens: Sequence[Token], i: int) -> int:
    depth = 0
    for k in range(i, -1, -1):
        depth += (tokens[k].text == ")") - (tokens[k].text == "(")
        if depth == 0:
            return k
    return -1


def _declares(tokens: Sequence[Token], i: int) -> bool:
    """Whether a declaration of a variable, function or contract begins at `i`."""
    if tokens[i].text in _TWO_WORDS:
        return False
    following = tokens[i + 1] if i + 1 < len(tokens) else tokens[i]
    return following.kind == "word" or (
        bool(_TYPE.match(tokens[i].text)) and following.text in ("[", "(")
    )
