"""The QUOTA of a schema, which is not enforced here.

In: the code tokens of CREATE SCHEMA or ALTER SCHEMA. Out: the same without it. Source: Database Developer Guide,
"CREATE SCHEMA" and "ALTER SCHEMA".
"""

from harness.redshift.plan import syntax_error
from harness.redshift.tokens import Cursor, Token, is_number, quote_string, string, word

_UNITS = ("MB", "GB", "TB")


def without_quota(parts: list[Token]) -> list[Token]:
    """The statement without QUOTA { number [MB | GB | TB] | UNLIMITED }; ALTER SCHEMA then changes nothing."""
    at = next((index for index, token in enumerate(parts) if token.upper == "QUOTA" and index > 2), None)
    if at is None:
        return parts
    words = [token.upper for token in parts[at + 1 :]]
    is_amount = bool(words) and is_number(words[0]) and (words[1:] == [] or words[1:] in [[unit] for unit in _UNITS])
    if words != ["UNLIMITED"] and not is_amount:
        raise syntax_error(words[-1] if words else "end of input")
    if parts[0].upper == "CREATE":
        return parts[:at]
    name = Cursor(parts, 2).name() or ""
    return [word("DO"), string(f"BEGIN PERFORM {quote_string(name)}::regnamespace; END")]
