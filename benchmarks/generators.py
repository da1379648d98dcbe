"""What a file costs to make: CPU per file and type of a pipeline, as one JSON line.

    python -m benchmarks.generators [--pipeline pipeline.toml] [--records 10000] [--rounds 5]

Each round makes and encodes files of every type in turn, so that what else the machine does falls on all of them;
medians over the rounds. For comparison: what Faker alone takes for the same rows.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from faker import Faker

from generators.dataset import Dataset
from generators.files import decode, encode
from generators.records import make_table
from harness.pipeline import load

FILES_PER_ROUND = 10
FAKER_ROWS = 500
AT = datetime(2026, 1, 1, tzinfo=UTC)


def _cpu_ms(work: Callable[[int], object], times: int) -> float:
    before_s = time.process_time()
    for number in range(times):
        work(number)
    return (time.process_time() - before_s) * 1000 / times


def _round(dataset: Dataset, records: int) -> dict[str, float]:
    def make(number: int) -> object:
        return make_table(dataset, seed=1, file_index=number, records=records, at=AT)

    table = make_table(dataset, seed=1, file_index=0, records=records, at=AT)
    data = encode(table, dataset.format)
    return {
        "make_ms": _cpu_ms(make, FILES_PER_ROUND),
        "encode_ms": _cpu_ms(lambda _: encode(table, dataset.format), FILES_PER_ROUND),
        "decode_ms": _cpu_ms(lambda _: decode(data, dataset), FILES_PER_ROUND),
        "size_bytes": len(data),
    }


def _faker_ms(dataset: Dataset, records: int) -> float:
    faker = Faker("en_US")
    providers = [getattr(faker, column.faker) for column in dataset.columns if column.faker]
    return _cpu_ms(lambda _: [provider() for provider in providers], FAKER_ROWS) * records


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU per generated file.")
    parser.add_argument("--pipeline", type=Path, default=Path("pipeline.toml"))
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pipeline = load(options.pipeline)
    datasets = [pipeline.dataset(name) for name in pipeline.types]
    for dataset in datasets:  # the vocabularies are made once
        make_table(dataset, seed=1, file_index=0, records=10, at=AT)
    rounds = [{dataset.name: _round(dataset, options.records) for dataset in datasets} for _ in range(options.rounds)]
    medians = {
        dataset.name: {
            key: round(statistics.median(one[dataset.name][key] for one in rounds), 2)
            for key in rounds[0][dataset.name]
        }
        for dataset in datasets
    }
    result = {
        "benchmark": "generators",
        "records": options.records,
        "rounds": options.rounds,
        "formats": {dataset.name: dataset.format for dataset in datasets},
        "types": medians,
        "faker_alone_ms": {dataset.name: round(_faker_ms(dataset, options.records), 1) for dataset in datasets},
        "mean_cpu_ms_per_file": round(
            statistics.mean(one["make_ms"] + one["encode_ms"] for one in medians.values()), 2
        ),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
