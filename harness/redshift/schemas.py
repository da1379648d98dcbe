"""The QUOTA of a schema, which is not enforced here.

In: the code tokens of CREATE SCHEMA or ALTER SCHEMA. Out: the same without it. Source: Database Developer Guide,
"CREATE SCHEMA" and "ALTER SCHEMA".
"""

from harness.redshift.plan import syntax_error
from harness.redshift.tokens import Token, is_number, word

_UNITS = ("MB", "GB", "TB")


def without_quota(parts: list[Token]) -> list[Token]:
    """The statement without QUOTA { number [MB | GB | TB] | UNLIMITED }; one that has nothing else changes nothing."""
    at = next((index for index, token in enumerate(parts) if token.upper == "QUOTA" and index > 2), None)
    if at is None:
        return parts
    words = [token.upper for token in parts[at + 1 :]]
    is_amount = bool(words) and is_number(words[0]) and (words[1:] == [] or words[1:] in [[unit] for unit in _UNITS])
    if words != ["UNLIMITED"] and not is_amount:
        raise syntax_error(words[-1] if words else "end of input")
    rest = parts[:at]
    return rest if rest[0].upper == "CREATE" else [*rest, *map(word, ("OWNER", "TO", "CURRENT_USER"))]
