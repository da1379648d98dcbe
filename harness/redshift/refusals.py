"""What PostgreSQL understands and Redshift does not: refused, so that it does not surprise in production.

In: the code tokens of a statement. Out: nothing, or a Refusal. Source: Database Developer Guide, "Unsupported
PostgreSQL features", "Unsupported PostgreSQL functions" and "Unsupported PostgreSQL data types".
"""

from harness.redshift.messages import Refusal
from harness.redshift.plan import STAND_IN_HINT, not_supported, syntax_error
from harness.redshift.tokens import Token

_FUNCTIONS = frozenset((
    "ARRAY_AGG", "ARRAY_APPEND", "ARRAY_CAT", "ARRAY_DIMS", "ARRAY_LENGTH", "ARRAY_LOWER", "ARRAY_PREPEND",
    "ARRAY_TO_STRING", "UNNEST", "STRING_TO_ARRAY", "STRING_AGG", "JSON_AGG", "JSONB_AGG", "JSON_OBJECT_AGG",
    "JSONB_OBJECT_AGG", "JSON_BUILD_OBJECT", "JSONB_BUILD_OBJECT", "JSON_BUILD_ARRAY", "JSONB_BUILD_ARRAY", "TO_JSON",
    "TO_JSONB", "ROW_TO_JSON", "JSON_EACH", "JSONB_EACH", "JSON_EXTRACT_PATH", "JSONB_EXTRACT_PATH", "JSONB_SET",
    "REGEXP_MATCHES", "REGEXP_MATCH", "REGEXP_SPLIT_TO_TABLE", "REGEXP_SPLIT_TO_ARRAY", "GEN_RANDOM_UUID", "FORMAT",
    "MAKE_DATE", "MAKE_TIMESTAMP", "MAKE_INTERVAL", "CLOCK_TIMESTAMP", "STATEMENT_TIMESTAMP", "TRANSACTION_TIMESTAMP",
    "JUSTIFY_DAYS", "JUSTIFY_HOURS", "JUSTIFY_INTERVAL", "AGE", "CONVERT_FROM", "CONVERT_TO", "ENCODE", "OVERLAY",
    "BIT_LENGTH", "NUM_NONNULLS", "NUM_NULLS", "PG_ADVISORY_LOCK", "PG_ADVISORY_XACT_LOCK", "LASTVAL", "NEXTVAL",
    "CURRVAL", "SETVAL", "PG_NOTIFY", "CONCAT_WS", "TO_TSVECTOR", "TO_TSQUERY", "XMLELEMENT",
))  # fmt: skip
# functions of Redshift that this stand-in has not
_NOT_HERE = frozenset((
    "COLLATE", "EXPLAIN_MODEL",
    "HLL_CREATE_SKETCH", "HLL_CARDINALITY", "HLL_COMBINE", "HLL_COMBINE_SKETCHES", "GEOMETRYTYPE", "ST_AREA",
    "ST_ASBINARY", "ST_ASEWKB", "ST_ASEWKT", "ST_ASGEOJSON", "ST_ASHEXEWKB", "ST_ASHEXWKB", "ST_ASTEXT", "ST_BUFFER",
    "ST_CENTROID", "ST_CONTAINS", "ST_COVEREDBY", "ST_COVERS", "ST_DISTANCE", "ST_DISTANCESPHERE", "ST_DWITHIN",
    "ST_EQUALS", "ST_GEOGFROMTEXT", "ST_GEOGFROMWKB", "ST_GEOHASH", "ST_GEOMETRYTYPE", "ST_GEOMFROMEWKB",
    "ST_GEOMFROMEWKT", "ST_GEOMFROMGEOJSON", "ST_GEOMFROMTEXT", "ST_GEOMFROMWKB", "ST_INTERSECTION", "ST_INTERSECTS",
    "ST_ISVALID", "ST_LENGTH", "ST_MAKELINE", "ST_MAKEPOINT", "ST_MAKEPOLYGON", "ST_NPOINTS", "ST_PERIMETER",
    "ST_POINT", "ST_POLYGON", "ST_SETSRID", "ST_SRID", "ST_TRANSFORM", "ST_UNION", "ST_WITHIN", "ST_X", "ST_Y",
))  # fmt: skip
_SEQUENCES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("FOR", "UPDATE"), "0A000"),
    (("FOR", "SHARE"), "0A000"),
    (("WITH", "ORDINALITY"), "42601"),
    (("DISTINCT", "ON"), "42601"),
    (("FILTER", "(", "WHERE"), "42601"),
)
_WORDS = frozenset(("TABLESAMPLE", "LATERAL"))


def check(parts: list[Token]) -> None:
    """Look for what Redshift does not have.

    Raises:
        Refusal: it is there.
    """
    for index, token in enumerate(parts):
        if token.kind != "word":
            continue
        following = parts[index + 1].text if index + 1 < len(parts) else ""
        name = token.upper
        is_cast = index and parts[index - 1].text == "::" and name in ("GEOMETRY", "GEOGRAPHY")
        if is_cast or (name in _NOT_HERE and following == "("):
            raise not_supported(f"{name} is not supported by this stand-in")
        if name in _FUNCTIONS and following == "(" and not (index and parts[index - 1].text == "."):
            message = f"function {token.text.lower()}() does not exist"
            raise Refusal("42883", message, hint=STAND_IN_HINT)
        if name in _WORDS and following != ".":
            raise syntax_error(token.text)
        for words, code in _SEQUENCES:
            if name == words[0] and tuple(part.upper for part in parts[index : index + len(words)]) == words:
                raise Refusal(code, f'syntax error at or near "{token.text}"', hint=STAND_IN_HINT)
