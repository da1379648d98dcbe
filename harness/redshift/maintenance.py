"""VACUUM, ANALYZE and CANCEL: what Redshift has beside PostgreSQL's is left out or refused.

In: the tokens of a statement. Out: SQL for PostgreSQL. Source: Database Developer Guide, "VACUUM", "ANALYZE", "ANALYZE
COMPRESSION" and "CANCEL".
"""

from harness.redshift.plan import not_supported, syntax_error
from harness.redshift.tokens import Cursor, Token, code, is_number, join, quote_string


def vacuum(tokens: list[Token]) -> str:
    """VACUUM of the table; FULL, SORT ONLY, DELETE ONLY, REINDEX, TO n PERCENT and BOOST only concern Redshift."""
    words = ("FULL", "SORT", "DELETE", "REINDEX", "RECLUSTER", "ONLY")
    parts = [token for token in code(tokens)[1:] if token.upper not in words]
    name = Cursor(parts).name() if parts and parts[0].upper not in ("TO", "BOOST") else None
    return f"VACUUM {name or ''}".strip()


def analyze(tokens: list[Token]) -> str:
    """ANALYZE of a table or some of its columns; which columns are predicates only concerns Redshift.

    Raises:
        Refusal: it is ANALYZE COMPRESSION: nothing is compressed here, so that there is nothing to recommend.
    """
    parts = code(tokens)
    words = [token.upper for token in parts]
    if words[1:2] == ["COMPRESSION"]:
        raise not_supported("ANALYZE COMPRESSION is not supported by this stand-in")
    if words[-2:] in (["PREDICATE", "COLUMNS"], ["ALL", "COLUMNS"]):
        return " ".join(token.text for token in parts[:-2])
    return join(tokens)


def cancel(tokens: list[Token]) -> str:
    """CANCEL process_id ['message']; the session that is cancelled is told PostgreSQL's words."""
    cursor = Cursor(code(tokens), 1)
    process = cursor.next()
    if process is None or not is_number(process.text):
        raise syntax_error(process.text if process else "end of input")
    message = cursor.next()
    if (message is not None and message.kind != "string") or cursor.peek():
        raise syntax_error(cursor.peek() or (message.text if message else "end of input"))
    return f"DO {quote_string(f'BEGIN PERFORM redshift_internal.cancel({process.text}); END')}"
