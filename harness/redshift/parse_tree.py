"""What PostgreSQL made of a query: its parse tree, read from the text in which PostgreSQL keeps one.

In: the text of a `pg_node_tree`, as in `pg_proc.prosqlbody`. Out: nodes. Knows nothing of what they mean. Source:
PostgreSQL's `outfuncs.c`: a node is `{NAME :field value …}`, a list `(value …)`, nothing `<>`, a datum
`length [ bytes ]`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_WORD = re.compile(r"[(){}]|(?:\\.|[^\s(){}\\])+")


@dataclass
class Node:
    """One node: its kind, such as CONST, and its fields, each with the values that follow its name."""

    kind: str
    fields: dict[str, list["Value"]] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """A field's number; -1 if it has none, as PostgreSQL writes an unknown modifier."""
        word = self._first(name)
        return int(word) if isinstance(word, str) and word.lstrip("-").isdigit() else -1

    def text(self, name: str) -> str:
        word = self._first(name)
        return word if isinstance(word, str) else ""

    def node(self, name: str) -> "Node | None":
        value = self._first(name)
        return value if isinstance(value, Node) else None

    def items(self, name: str) -> list["Value"]:
        """A field's list."""
        value = self._first(name)
        return value if isinstance(value, list) else []

    def nodes(self, name: str) -> list["Node"]:
        return [value for value in self.items(name) if isinstance(value, Node)]

    def datum(self, name: str) -> bytes:
        """A field's datum."""
        words = [word for word in self.fields.get(name, ()) if isinstance(word, str)]
        return bytes(int(word) % 256 for word in words[2:-1])  # behind the length and between brackets

    def _first(self, name: str) -> "Value | None":
        values = self.fields.get(name)
        return values[0] if values else None


Value = str | Node | list["Value"]


def read(text: str) -> Value:
    """The tree of a text.

    Raises:
        ValueError: it is none.
    """
    words = (found[0] for found in _WORD.finditer(text))
    try:
        return _value(next(words), words)
    except (StopIteration, RuntimeError) as error:
        raise ValueError("the parse tree ends early") from error


def _value(word: str, words: Iterator[str]) -> Value:
    if word == "(":
        values: list[Value] = []
        while (word := next(words)) != ")":
            values.append(_value(word, words))
        return values
    return _node(words) if word == "{" else word


def _node(words: Iterator[str]) -> Node:
    node = Node(next(words))
    values: list[Value] = []
    while (word := next(words)) != "}":
        if word.startswith(":"):
            values = node.fields[word[1:]] = []
        else:
            values.append(_value(word, words))
    return node
