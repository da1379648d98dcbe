"""The columns of what is rotated: PIVOT and UNPIVOT of a table or a star, as of a subquery that lists its columns.

In: a client's statement. Out: the same with `(SELECT a, b FROM t)` for such a source, whose columns the backend names;
what it cannot name stays, for `pivots` to refuse. Source: Database Developer Guide, "PIVOT and UNPIVOT examples".
"""

import json

from harness.redshift.backend import Backend, Statement
from harness.redshift.exchanges import BackendError, Skipped
from harness.redshift.expressions import rewrite
from harness.redshift.long_names import shorten
from harness.redshift.pivots import opening, select_list, source_start
from harness.redshift.selects import output_names
from harness.redshift.spelling import fold
from harness.redshift.tokens import Token, is_code, join, quote_name, tokenize, word

_COLUMNS = "SELECT redshift_internal.output_columns($1)"


def rotates(sql: str) -> bool:
    """Whether a statement may have a PIVOT or UNPIVOT."""
    return "PIVOT" in sql.upper()


async def with_columns(backend: Backend, sql: str, *, keeps_capitals: bool) -> str:
    """The statement with every source of a PIVOT or UNPIVOT listing its columns."""
    tokens, at = tokenize(sql), 0
    if not keeps_capitals:
        tokens = fold(tokens)
    while at < len(tokens):
        if tokens[at].upper in ("PIVOT", "UNPIVOT") and opening(tokens, at) is not None:
            start, end = _source(tokens, at)
            source = tokens[start:end]
            if source and not output_names(select_list(source)) and (names := await _columns(backend, source)):
                columns = ", ".join(map(quote_name, names))
                listed = word(f"(SELECT {columns} FROM {join(source)} AS redshift_source)")
                tokens = [*tokens[:start], listed, *tokens[end:]]
                at = start + at - end + 1
        at += 1
    return join(tokens)


def _source(tokens: list[Token], at: int) -> tuple[int, int]:
    """Where the name or subquery before PIVOT or UNPIVOT begins and ends; nothing if there is none."""
    end = next((index + 1 for index in range(at - 1, -1, -1) if is_code(tokens[index])), 0)
    if end and tokens[end - 1].text == ")":
        return source_start(tokens, at), end
    start = end
    while start and (tokens[start - 1].kind in ("word", "quoted") or tokens[start - 1].text == "."):
        start -= 1
    return start, end


async def _columns(backend: Backend, source: list[Token]) -> list[str]:
    query = f"SELECT * FROM {join(rewrite(shorten(source).tokens))} AS redshift_source"
    try:
        ((names,),) = await backend.run(Statement(_COLUMNS, (query,)))
    except (BackendError, Skipped):  # the transaction had failed before, as the statement will say
        return []
    return list(json.loads(names)) if names else []
