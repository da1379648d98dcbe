"""WHERE 1: a number alone as a condition, which Redshift takes for true or false and PostgreSQL refuses.

In: the tokens of a statement. Out: the same with TRUE or FALSE in its place. sqlalchemy-redshift's reflection asks so.
"""

from harness.redshift.tokens import Token, word

_AFTER = frozenset(("AND", "OR", "UNION", "GROUP", "ORDER", "LIMIT", ")", ""))


def number_conditions(tokens: list[Token]) -> list[Token]:
    """The tokens with numbers that are whole conditions as truth values; only where WHERE comes first."""
    places = [index for index, token in enumerate(tokens) if token.kind not in ("space", "comment")]
    result = tokens
    for place, index in enumerate(places):
        if tokens[index].kind != "number" or not place or tokens[places[place - 1]].upper != "WHERE":
            continue
        following = tokens[places[place + 1]].upper if place + 1 < len(places) else ""
        if following in _AFTER:
            result = result if result is not tokens else list(tokens)
            result[index] = word("FALSE" if float(tokens[index].text) == 0 else "TRUE")
    return result
