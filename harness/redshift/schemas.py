"""The QUOTA of a schema, which is not enforced here.

In: the code tokens of CREATE SCHEMA or ALTER SCHEMA. Out: the same without it. Source: Database Developer Guide,
"CREATE SCHEMA" and "ALTER SCHEMA".
"""

from harness.redshift.tokens import Cursor, Token, is_number, quote_string, string, word

_UNITS = ("MB", "GB", "TB")


def without_quota(parts: list[Token]) -> list[Token]:
    """The statement without QUOTA { number [MB | GB | TB] | UNLIMITED }; ALTER SCHEMA then changes nothing."""
    words = [token.upper or token.text for token in parts]
    is_unlimited = words[-2:] == ["QUOTA", "UNLIMITED"]
    amount = words[-2:-1] if words[-1] in _UNITS else words[-1:]
    before = len(words) - (3 if words[-1] in _UNITS else 2)
    if not is_unlimited and not (words[before] == "QUOTA" and is_number(amount[0])):
        return parts
    at = len(parts) - 2 if is_unlimited else before
    if parts[0].upper == "CREATE":
        return parts[:at]
    name = Cursor(parts, 2).name() or ""
    return [word("DO"), string(f"BEGIN PERFORM {quote_string(name)}::regnamespace; END")]
