"""Where a client's statement names PostgreSQL's catalog, it gets the stand-in's views of it.

In: the tokens of a statement. Out: the same, with `pg_class`, `pg_catalog.pg_attribute`, `information_schema.columns`
and their like in the schema `redshift_catalog` (see `catalog/catalog.sql`), which has what Redshift's catalog has.
"""

from harness.redshift.tokens import Token, closing, is_code, name_of, word

SCHEMA = "redshift_catalog"
_RELATIONS = {
    "pg_catalog": frozenset((
        "pg_class", "pg_class_info", "pg_attribute", "pg_attribute_info", "pg_attrdef", "pg_constraint", "pg_namespace",
        "pg_index", "pg_depend", "pg_views", "pg_proc", "pg_proc_info", "pg_tables", "pg_user", "pg_group",
    )),
    "information_schema": frozenset((
        "columns", "tables", "schemata", "table_constraints", "key_column_usage", "constraint_column_usage",
        "referential_constraints", "views",
    )),
}  # fmt: skip
_FUNCTIONS = frozenset((
    "format_type", "format_encoding", "pg_get_expr", "pg_get_constraintdef", "pg_get_viewdef", "current_schema",
    "current_schemas",
))  # fmt: skip
_SCHEMAS = frozenset(_RELATIONS)
_COLUMN_FUNCTIONS = frozenset(("PG_GET_LATE_BINDING_VIEW_COLS", "PG_GET_COLS"))
_WORDS = frozenset(name.upper() for name in _FUNCTIONS | _RELATIONS["pg_catalog"]) | {
    "INFORMATION_SCHEMA", *_COLUMN_FUNCTIONS,
}  # fmt: skip


def redirect(tokens: list[Token]) -> list[Token]:
    """The tokens with catalog names in the stand-in's schema; the same list if there are none."""
    if not any(token.upper in _WORDS or token.kind == "quoted" for token in tokens):
        return tokens
    tokens = _late_columns(tokens)
    result: list[Token] = []
    for index, token in enumerate(tokens):
        if token.kind not in ("word", "quoted") or not _is_catalog_name(tokens, index, result):
            result.append(token)
            continue
        if _text(tokens, index - 1) != ".":
            result += [word(SCHEMA), word(".")]
        else:
            result[_schema_index(result)] = word(SCHEMA)
        result.append(token)
    return result


def _late_columns(tokens: list[Token]) -> list[Token]:
    """The column list that follows pg_get_late_binding_view_cols() without PostgreSQL's type `name`, too short here."""
    at = next((index for index, token in enumerate(tokens) if token.upper in _COLUMN_FUNCTIONS), None)
    if at is None:
        return tokens
    end = closing(tokens, at)  # of the call
    opening = next((index for index in range(end + 1, len(tokens)) if tokens[index].text == "("), len(tokens))
    if opening == len(tokens):
        return tokens
    result, before = [*tokens], ""
    for index in filter(lambda index: is_code(tokens[index]), range(opening, closing(tokens, opening))):
        if tokens[index].upper == "NAME" and before not in ("(", ","):
            result[index] = word("text")
        before = tokens[index].text
    return result


def _is_catalog_name(tokens: list[Token], index: int, before: list[Token]) -> bool:
    name, following = name_of(tokens[index]), _text(tokens, index + 1)
    schema = name_of(before[_schema_index(before)]) if _text(tokens, index - 1) == "." and len(before) > 1 else ""
    if schema and schema not in _SCHEMAS:
        return False
    if name in _FUNCTIONS:
        return schema != "information_schema" and following == "("
    if schema:
        return name in _RELATIONS[schema] and following != "("
    return name in _RELATIONS["pg_catalog"] and following not in (".", "(") and _names_relation(before)


def _names_relation(before: list[Token]) -> bool:
    """Whether a relation's name can stand here: after FROM, JOIN or a comma, not as a column or an alias."""
    last = next((token for token in reversed(before) if token.kind not in ("space", "comment")), None)
    return last is not None and last.upper in ("FROM", "JOIN", ",", "(")


def _schema_index(before: list[Token]) -> int:
    return len(before) - 2


def _text(tokens: list[Token], index: int) -> str:
    return tokens[index].text if 0 <= index < len(tokens) else ""
