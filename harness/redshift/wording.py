"""PostgreSQL's errors in Redshift's words.

In: the body of an ErrorResponse. Out: the body the client gets. What is not named here passes untouched.
"""

import re

from harness.redshift import messages as wire

_CHECK_PREFIX = "redshift_bytes_"
_OWN_FUNCTION = re.compile(r"\bredshift_internal\.(\w+\()")
_RELATION = re.compile(r"^(permission denied for|must be owner of) (?:table|view|materialized view) ")


def as_redshift_error(body: bytes) -> bytes:
    """A byte-length check that failed is "value too long for type", as on every write path of Redshift."""
    if b"\x00C40001\x00" in body:
        return _serialization_failure(body)
    if b"\x00C21000\x00MMERGE" in body:
        return wire.error_body(wire.Refusal("XX000", "Found multiple matches to update the same tuple."))
    if b"\x00C23502\x00" in body and (column := wire.error_fields(body).get("c")):
        return wire.error_body(wire.Refusal("23502", f"Cannot insert a NULL value into column {column}"))
    if b"\x00C22003\x00Mnumeric field overflow\x00" in body:
        return wire.error_body(wire.Refusal("22003", "Numeric data overflow (result precision)"))
    if b"\x00C42501\x00" in body:
        return _permission_denied(body)
    if b"n" + _CHECK_PREFIX.encode() not in body:
        return _without_internals(body)
    fields = wire.error_fields(body)
    limit = fields["n"].rpartition("_")[2]
    kept = {name: fields[name] for name in "SV" if name in fields}
    message = f"value too long for type character varying({limit})"
    return wire.with_error_fields(kept | {"C": "22001", "M": message})


def _without_internals(body: bytes) -> bytes:
    """Where in the stand-in an error was raised is nothing to a client, nor which schema its functions are in."""
    if b"redshift_internal." not in body:
        return body
    return wire.with_error_fields({
        name: _OWN_FUNCTION.sub(r"\1", value)
        for name, value in wire.error_fields(body).items() if name not in "Wqpi"
    })  # fmt: skip


def _permission_denied(body: bytes) -> bytes:
    """Tables and views are relations there."""
    fields = wire.error_fields(_without_internals(body))
    return wire.with_error_fields(fields | {"M": _RELATION.sub(r"\1 relation ", fields.get("M", ""))})


def _serialization_failure(body: bytes) -> bytes:
    """Source: "Troubleshooting serializable isolation errors"."""
    reason = wire.error_fields(body).get("M", "")
    detail = "Serializable isolation violation on table in Redshift"
    return wire.error_body(wire.Refusal("XX000", "1023", detail, f"PostgreSQL: {reason}"))
