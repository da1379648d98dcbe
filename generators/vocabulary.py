"""The words that text columns are made of: a seeded vocabulary for each column, made once per process.

In: a column and a seed. Out: an Arrow array of distinct texts that fit the column, among them the awkward ones that
real sources send. Faker makes 4,000 rows a second, so it makes words here and never rows.
"""

import random
import zlib
from functools import lru_cache

import pyarrow as pa

from generators.dataset import Column

WORDS_PER_COLUMN = 1_000

# What breaks readers and writers that were tried with tidy text only. Texts that spell NULL are texts.
AWKWARD_TEXTS = (
    "",
    " ",
    '"',
    '""',
    'She said "no", twice',
    "a,b;c|d\tend",
    "back\\slash \\n \\N \\",
    "  leading blanks",
    "trailing blanks  ",
    "first line\nsecond line",
    "carriage\r\nreturn",
    "Łódź, Tromsø & Málaga – naïve café",
    "東京都 🚚",
    "e\u0301 combining",
    "'; DROP TABLE stage.orders; --",
    "NULL",
    "null",
    "NaN",
    "N/A",
    "None",
    "\\N",
    "007",
    "1e3",
    "true",
    '{"json": [1, 2]}',
    "<a href='x'>&amp;</a>",
    "%s %(name)s {0} $1",
    "dt=2026-01-01/a+b%20c",
)
_SAFE_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def cut_to_bytes(text: str, length_bytes: int) -> str:
    """The longest beginning of `text` that takes at most `length_bytes` bytes in UTF-8, and no half character."""
    return text.encode()[:length_bytes].decode(errors="ignore")


def _faker_words(provider: str, seed: int) -> list[str]:
    from faker import Faker

    faker = Faker("en_US")
    faker.seed_instance(seed)
    make = getattr(faker, provider)
    return [str(make()) for _ in range(WORDS_PER_COLUMN)]


def _random_words(rng: random.Random, length_bytes: int, *, fixed: bool) -> list[str]:
    longest = min(length_bytes, 24)
    shortest = longest if fixed else 1
    return ["".join(rng.choices(_SAFE_CHARACTERS, k=rng.randint(shortest, longest))) for _ in range(WORDS_PER_COLUMN)]


@lru_cache(maxsize=1024)
def vocabulary(column: Column, seed: int) -> tuple[pa.Array, int]:
    """The texts a column is drawn from, and how many of them, at the end, are awkward.

    A column with `values` gets exactly these. char(n) gets ASCII without blanks at its ends, because Redshift pads it
    with blanks and refuses multi-byte characters there.
    """
    if column.values is not None:
        return pa.array(column.values, pa.string()), 0
    parsed = column.parsed
    own_seed = zlib.crc32(f"{seed}/{column.name}/{column.type}/{column.faker}".encode())
    if column.faker is not None:
        words = _faker_words(column.faker, own_seed)
    else:
        words = _random_words(random.Random(own_seed), parsed.length_bytes, fixed=parsed.fixed)
    fitting = (cut_to_bytes(word, parsed.length_bytes) for word in words)
    if parsed.fixed:
        return pa.array(list(dict.fromkeys(word.strip() for word in fitting if word.isascii() and word.strip()))), 0
    awkward = list(dict.fromkeys(cut_to_bytes(text, parsed.length_bytes) for text in AWKWARD_TEXTS))
    tidy = [word for word in dict.fromkeys(fitting) if word not in set(awkward)]
    return pa.array([*tidy, *awkward], pa.string()), len(awkward)
