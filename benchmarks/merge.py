"""How long the merge takes: against rows staged, and against rows in the final table. One JSON line.

    python -m benchmarks.merge [--files 30] [--final 300000,3000000] [--rounds 5] [--set shared_buffers=1GB]
    python -m benchmarks.merge --files 1500 --final 50000000,100000000,200000000 --rounds 1      # the whole question

The type `orders` of the pipeline, its own DDL and merge SQL, through the Redshift stand-in. Stage and final rows are
made inside the database. Of the staged rows one in a hundred is a newer version of a row in the final table. For each
size of the final table: half of the files, then all of them, in turns; a line through the points against staged rows,
and one against the logarithm of final rows. CPU is that of PostgreSQL's processes. `--set` changes one of its settings.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from harness import pipeline, sql
from harness.bench.cpu import tree
from harness.bench.parts import warehouse_alone
from harness.merge import read_job
from harness.run_directory import machine
from harness.stack import postgres

ROOT = Path(__file__).resolve().parents[1]
ROWS_PER_FILE = 10_000
UPDATED_SHARE = 100
CHUNK_ROWS = 10_000_000

# The columns of a row whose key is k; what a value is matters less than that it is as long as a real one.
_VALUES = """k, k % 5000000, (ARRAY['placed','paid','packed','shipped','returned'])[1 + k % 5],
    (k % 500000) / 100.0, 'EUR', 'customer ' || k % 100000, 'city ' || k % 1000, k % 2 = 0,
    date '2026-01-01' + (k % 30)::int"""
_FILE = "'orders/dt=2026-01-01/orders-' || lpad(({})::text, 6, '0') || '.csv.gz'"


def fill_final(cursor: Any, from_row: int, to_row: int) -> None:
    """Keys from_row … to_row - 1, in files of 10,000."""
    for first in range(from_row, to_row, CHUNK_ROWS):
        last = min(first + CHUNK_ROWS, to_row) - 1
        file = _FILE.format(f"k / {ROWS_PER_FILE}")
        cursor.execute(
            f"INSERT INTO public.orders SELECT {_VALUES}, timestamp '2026-01-01', {file}, k % {ROWS_PER_FILE},"
            f" timestamp '2026-01-01', timestamp '2026-01-01' FROM generate_series({first}::bigint, {last}) AS k"
        )


def fill_stage(cursor: Any, first_key: int, files: int, known_keys: int, round_: int) -> None:
    """New keys, and every hundredth row a newer version of a known one."""
    rows = files * ROWS_PER_FILE
    known_key = f"(n * 7919) % {max(known_keys, 1)}"
    is_known = f"n % {UPDATED_SHARE} = 0 AND {known_keys} > 0"
    key = f"CASE WHEN {is_known} THEN {known_key} ELSE {first_key} + n END"
    file = _FILE.format(f"{round_} * 100000 + n / {ROWS_PER_FILE}")
    cursor.execute(
        f"INSERT INTO stage.orders SELECT {_VALUES}, timestamp '2026-01-02' + interval '1 second' * {round_}, {file},"
        f" n % {ROWS_PER_FILE}, timestamp '2026-01-02' + interval '1 second' * (n / {ROWS_PER_FILE})"
        f" FROM (SELECT n, {key} AS k FROM generate_series(0::bigint, {rows - 1}) AS n) AS numbered"
    )


def _cpu_s(pid: int) -> float:
    return sum(process.own_s + process.reaped_s for process in tree(pid))


def fit(points: list[dict[str, float]]) -> dict[str, float]:
    """Seconds = fixed + per million staged rows; the same against the logarithm of final rows, at most files."""
    staged = [point["staged_rows"] / 1e6 for point in points]
    seconds = [point["seconds"] for point in points]
    found: dict[str, float] = {}
    if len(set(staged)) > 1:
        slope, fixed = np.polyfit(staged, seconds, 1)
        found |= {"s_per_million_staged": round(float(slope), 3), "fixed_s": round(float(fixed), 3)}
    most = [point for point in points if point["staged_rows"] == max(one["staged_rows"] for one in points)]
    if len({point["final_rows"] for point in most}) > 1:
        logs = [math.log2(point["final_rows"]) for point in most]
        slope, _ = np.polyfit(logs, [point["seconds"] for point in most], 1)
        found["s_per_doubling_of_final"] = round(float(slope), 3)
    return found


def measure(files: int, finals: list[int], rounds: int) -> list[dict[str, float]]:
    described = pipeline.load(ROOT / "pipeline.toml")
    job = read_job(described)
    points: list[dict[str, float]] = []
    only = type(job)({"orders": job.statements["orders"]})
    with warehouse_alone() as (endpoints, parts):
        pid = parts["postgresql"].pid
        with sql.warehouse(endpoints) as connection, connection.cursor() as cursor:
            for statement in sql.statements(described.ddl):
                cursor.execute(statement)
            connection.commit()
        with sql.backend(endpoints) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            have = round_ = 0
            for final_rows in finals:
                fill_final(cursor, have, final_rows)
                have = max(have, final_rows)
                cursor.execute("ANALYZE public.orders")
                for count in (max(1, files // 2), files):
                    seconds, cpu = [], []
                    for _ in range(rounds):
                        round_ += 1
                        fill_stage(cursor, have, count, have, round_)
                        before_s = _cpu_s(pid)
                        began_s = time.perf_counter()
                        (done,) = only.run(endpoints, round_, time.time()).types
                        if done.error:
                            raise SystemExit(f"the merge failed: {done.error}")
                        seconds.append(time.perf_counter() - began_s)
                        cpu.append(_cpu_s(pid) - before_s)
                        have += count * ROWS_PER_FILE
                    point = {"staged_rows": count * ROWS_PER_FILE, "final_rows": have, "seconds": median(seconds),
                             "cpu_s": median(cpu)}  # fmt: skip
                    print(f"merge: {point}", file=sys.stderr)
                    points.append({name: round(value, 3) for name, value in point.items()})
    return points


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=30, help="staged, 10,000 rows each")
    parser.add_argument("--final", default="300000,3000000", help="rows in the final table before, with commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="of PostgreSQL")
    options = parser.parse_args()
    postgres.SETTINGS.update(dict(one.split("=", 1) for one in options.set))
    points = measure(options.files, sorted(int(rows) for rows in options.final.split(",")), options.rounds)
    print(json.dumps({"benchmark": "merge", "machine": machine(), "settings": options.set, "points": points,
                      "fit": fit(points)}))  # fmt: skip


if __name__ == "__main__":
    main()
