"""NUMERIC in binary, as version 2 of Redshift's protocol has it: an integer of 8 or 16 bytes, scaled.

In: PostgreSQL's binary form. Out: Redshift's. Source: `numeric_in_binary` of redshift_connector, which is open, and
PostgreSQL's `numeric_send`.
"""

import struct

from harness.redshift.numerics import Decimal

_NUMERIC = struct.Struct("!hhHH")  # digits, weight of the first, sign, decimals shown
_BASE, _SIGNS = 10_000, {0x0000: 1, 0x4000: -1}
_LONG_DIGITS = 19  # so many digits are kept in 8 bytes, more in 16


class NumericOverflow(Exception):
    """A number that Redshift's type cannot hold."""


def scaled(numeric: bytes, *, number: Decimal) -> bytes:
    """A binary NUMERIC as PostgreSQL has it, digits of base 10,000, as an integer of so many decimals, rounded.

    Raises:
        NumericOverflow: it is NaN, infinite or too large.
    """
    count, weight, sign, _ = _NUMERIC.unpack_from(numeric)
    if sign not in _SIGNS:
        raise NumericOverflow
    value = 0
    for digit in struct.unpack_from(f"!{count}h", numeric, _NUMERIC.size):
        value = value * _BASE + digit
    shift = number.scale + 4 * (weight - count + 1)
    value = value * _power(shift) if shift >= 0 else (value + _power(-shift) // 2) // _power(-shift)
    if value >> 127:
        raise NumericOverflow
    signed = _SIGNS[sign] * value
    return signed.to_bytes(8 if number.precision <= _LONG_DIGITS and value < 1 << 63 else 16, "big", signed=True)


def _power(exponent: int) -> int:
    """Ten to a positive exponent, which a type checker takes for an integer only if told so."""
    return int(10**exponent)
