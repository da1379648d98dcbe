"""SQL text to tokens and back: just enough lexing to split statements and rewrite clauses safely.

In: Redshift SQL. Out: tokens that join to exactly the same text. Knows strings, quoted names, comments and dollar
quotes, so that nothing inside them is ever taken for SQL. Knows no grammar.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

_PATTERN = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
    |(?P<string>[eEnNbBxX]?'(?:[^'\\]|''|\\.)*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?P=tag)\$|\$\$.*?\$\$)
    |(?P<parameter>\$\d+)
    |(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<word>\#?[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*|\#[\w\x80-\U0010ffff]+)
    |(?P<symbol>::|<=|>=|<>|!=|\|\||:=|=>|~~\*|.)""",
    re.VERBOSE | re.DOTALL,
)

_CAPITALS = re.compile(r"[A-Z]+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class Token(NamedTuple):
    """kind: space, comment, string, quoted, dollar, parameter, number, word or symbol; upper: a word in capitals.

    whole: the name that a short one stands for (`long_names`).
    """

    kind: str
    text: str
    upper: str
    whole: str = ""


SPACE = Token("space", " ", " ")


def word(text: str) -> Token:
    return Token("word", text, text.upper())


def symbol(text: str) -> Token:
    return Token("symbol", text, text)


def string(value: str) -> Token:
    text = quote_string(value)
    return Token("string", text, text)


def tokenize(sql: str) -> list[Token]:
    """All tokens, white space and comments included."""
    tokens = []
    for match in _PATTERN.finditer(sql):
        kind = match.lastgroup or "symbol"
        if kind == "tag":
            kind = "dollar"
        text = match.group()
        tokens.append(Token(kind, text, text.upper() if kind == "word" else text))
    return tokens


def join(tokens: Iterable[Token]) -> str:
    return "".join(token.text for token in tokens)


def is_code(token: Token) -> bool:
    return token.kind not in ("space", "comment")


def code(tokens: Iterable[Token]) -> list[Token]:
    """Without white space and comments."""
    return [token for token in tokens if is_code(token)]


def split_statements(tokens: list[Token]) -> list[list[Token]]:
    """The statements between semicolons; those with nothing but white space are left out."""
    statements: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == ";" and token.kind == "symbol":
            statements.append([])
        else:
            statements[-1].append(token)
    return [statement for statement in statements if any(map(is_code, statement))]


def closing(tokens: list[Token], at: int) -> int:
    """The index of the parenthesis that closes the one at `at`; the last index if none does."""
    depth = 0
    for index in range(at, len(tokens)):
        if tokens[index].text == "(":
            depth += 1
        elif tokens[index].text == ")":
            depth -= 1
            if depth == 0:
                return index
    return len(tokens) - 1


def split_arguments(tokens: list[Token]) -> list[list[Token]]:
    """The parts between commas that are in no parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def name_of(token: Token) -> str:
    """The identifier a word or quoted name stands for; its ASCII letters are small unless quoted."""
    if token.kind == "quoted":
        return token.text[1:-1].replace('""', '"')
    return token.text.lower() if token.text.isascii() else _CAPITALS.sub(lambda found: found[0].lower(), token.text)


def whole_name(token: Token) -> str:
    """The same as clients know it, where PostgreSQL has a short one for it."""
    return token.whole or name_of(token)


def value_of(token: Token) -> str:
    """The value of a string literal. A backslash escapes, as in Redshift (standard_conforming_strings is off)."""
    inner = token.text[token.text.index("'") + 1 : -1].replace("''", "'")
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), inner) if "\\" in inner else inner


def is_number(text: str) -> bool:
    """Whether it is digits, of which Unicode has more than `int` reads and SQL knows."""
    return text.isascii() and text.isdigit()


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_string(value: str) -> str:
    """A literal for a session with standard_conforming_strings off."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


@dataclass
class Cursor:
    """Reads code tokens one after the other."""

    tokens: list[Token]
    at: int = 0

    def peek(self, ahead: int = 0) -> str:
        index = self.at + ahead
        return self.tokens[index].upper if index < len(self.tokens) else ""

    def take(self, *words: str) -> bool:
        """Consume these words if they come next."""
        if all(self.peek(ahead) == expected for ahead, expected in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def next(self) -> Token | None:
        if self.at >= len(self.tokens):
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def rest(self) -> Iterator[Token]:
        yield from self.tokens[self.at :]

    def name(self) -> str | None:
        """Consume a possibly qualified name; returns it quoted for PostgreSQL, or None if there is none."""
        parts = []
        while self.at < len(self.tokens) and self.tokens[self.at].kind in ("word", "quoted"):
            parts.append(quote_name(name_of(self.tokens[self.at])))
            self.at += 1
            if self.peek() != ".":
                break
            self.at += 1
        return ".".join(parts) or None
