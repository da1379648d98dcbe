import gzip
import io
import itertools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from generators.dataset import FORMATS, Column, Dataset
from generators.files import compress, decode, encode
from generators.records import make_table
from generators.replay import count_records, cut, scan

DatasetMaker = Callable[..., Dataset]
COLUMNS = (Column("id", "bigint"), Column("text", "varchar(64)"), Column("seen_at", "timestamp"))
DATASETS = {
    name: Dataset(name, COLUMNS, ("id",), "seen_at", file_format)
    for name, file_format in (("orders", "csv.gz"), ("stock", "csv"), ("clicks", "jsonl.gz"), ("bills", "parquet"))
}
AWKWARD_CSV = b'id,text\r\n1,"a\r\nb"\r\n\r\n2,"say ""x"",\n"\r\n3,plain\\\r\n4,"",\r\n5,last without an end'


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def directory(tmp_path: Path, at: datetime) -> Path:
    for number, (name, dataset) in enumerate(DATASETS.items()):
        for day in (1, 2):
            table = make_table(dataset, seed=1, file_index=10 * number + day, records=250, at=at)
            put(tmp_path / name / f"dt=2026-01-0{day}" / f"f.{dataset.format}", encode(table, dataset.format))
    put(tmp_path / "orders" / ".DS_Store", b"?")
    put(tmp_path / "orders" / ".hidden" / "f.txt", b"?")
    return tmp_path


def test_files_come_whole_and_in_the_order_of_their_paths(directory: Path) -> None:
    sources = list(scan(directory, DATASETS))
    assert [source.path.parent.name for source in sources] == ["dt=2026-01-01"] * 4 + ["dt=2026-01-02"] * 4
    assert {source.type for source in sources} == set(DATASETS)
    assert all((source.first_row, source.rows, source.records) == (0, None, 250) for source in sources)


@pytest.mark.parametrize("name", DATASETS)
def test_pieces_hold_every_record_once_and_in_order(directory: Path, name: str) -> None:
    dataset = DATASETS[name]
    pieces = [source for source in scan(directory, DATASETS, records_per_file=100) if source.type == name]
    assert [piece.records for piece in pieces] == [100, 100, 50] * 2
    tables = []
    for piece in pieces:
        assert piece.rows == piece.records
        data = cut(piece.path, dataset.format, piece.first_row, piece.rows)
        assert count_records(data, dataset.format) == piece.records
        tables.append(decode(data, dataset))
    whole = [decode(path.read_bytes(), dataset) for path in dict.fromkeys(piece.path for piece in pieces)]
    assert pa.concat_tables(tables).combine_chunks().equals(pa.concat_tables(whole).combine_chunks())


def test_a_file_that_needs_no_cut_stays_whole(directory: Path) -> None:
    assert all(source.rows is None for source in scan(directory, DATASETS, records_per_file=250))


def test_resampling_repeats_files_and_follows_its_seed(directory: Path) -> None:
    def first(seed: int) -> list[Path]:
        sources = scan(directory, DATASETS, order="resampled", seed=seed)
        return [source.path for source in itertools.islice(sources, 40)]

    assert len(set(first(1))) == 8
    assert first(1) == first(1) != first(2)


def test_csv_records_keep_their_bytes(tmp_path: Path) -> None:
    path = put(tmp_path / "f.csv", AWKWARD_CSV)
    assert count_records(AWKWARD_CSV, "csv") == 5
    assert cut(path, "csv", 0, 2) == b'id,text\r\n1,"a\r\nb"\r\n\r\n2,"say ""x"",\n"\r\n'
    assert cut(path, "csv", 2, 3) == b'id,text\r\n3,plain\\\r\n4,"",\r\n5,last without an end'
    assert cut(path, "csv", 5, 0) == b"id,text\r\n"
    assert b"".join(cut(path, "csv", row, 1)[9:] for row in range(5)) == AWKWARD_CSV[9:]


def test_jsonl_records_keep_their_bytes(tmp_path: Path) -> None:
    text = b'{"id": 1,  "text": "\\u00e9 \\" \\n"}\n\n{"id":2}\n{"id": 3.10}'
    path = put(tmp_path / "f.jsonl.gz", gzip.compress(text))
    assert count_records(path.read_bytes(), "jsonl.gz") == 3
    assert gzip.decompress(cut(path, "jsonl.gz", 1, 2)) == b'\n{"id":2}\n{"id": 3.10}'


def test_a_parquet_piece_keeps_schema_and_values(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([1, 2, 3], pa.int8()), "b": ["x", None, ""]}, metadata={"made by": "another"})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    path = put(tmp_path / "f.parquet", sink.getvalue())
    piece = pq.read_table(io.BytesIO(cut(path, "parquet", 1, 2)))
    assert piece.equals(table.slice(1), check_metadata=True)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = put(tmp_path / "f.csv", b"a\n1\n2\n")
    assert cut(path, "csv", 1, 1) == b"a\n2\n"
    path.unlink()
    with pytest.raises(FileNotFoundError):
        cut(path, "csv", 1, 1)


@pytest.mark.parametrize("text", [b"a\n", b"a", b'\xef\xbb\xbf"a"\n'])
def test_a_header_alone_is_a_file_without_records(text: bytes) -> None:
    assert count_records(text, "csv") == 0


@pytest.mark.parametrize("file_format", FORMATS)
def test_records_outside_of_the_file_are_refused(tmp_path: Path, file_format: str) -> None:
    table = pa.table({"id": [1, 2, 3]})
    path = put(tmp_path / "f", encode(table, file_format))
    for first_row, rows in ((2, 2), (-1, 1), (4, 0)):
        with pytest.raises(ValueError, match="are not within its 3"):
            cut(path, file_format, first_row, rows)


@pytest.mark.parametrize(
    ("file_format", "data", "message"),
    [
        ("csv", b'a\n"1\n', "never closed"),
        ("csv", b'a\n5" pipe and 6" pipe\n', "quote at byte 3"),
        ("csv", b"", "no header"),
        ("csv.gz", b"a\n1\n", "gzip"),
        ("csv.gz", compress(b"a\n1\n")[:-3], "gzip"),
        ("parquet", b"PAR1", "not a parquet file"),
    ],
)
def test_a_file_whose_records_cannot_be_told_is_named(
    tmp_path: Path, file_format: str, data: bytes, message: str
) -> None:
    dataset = Dataset("t", COLUMNS, ("id",), None, file_format)
    path = put(tmp_path / "t" / f"f.{file_format}", data)
    with pytest.raises(ValueError, match=message) as error:
        scan(tmp_path, {"t": dataset})
    assert str(error.value).startswith(str(path))


def test_mistakes_in_the_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such directory"):
        scan(tmp_path / "missing", DATASETS)
    with pytest.raises(ValueError, match="there is no file to replay"):
        scan(tmp_path, DATASETS)
    (tmp_path / "orders").mkdir()
    with pytest.raises(ValueError, match="there is no file to replay"):
        scan(tmp_path, DATASETS)
    put(tmp_path / "orders" / "f.csv", b"a\n")
    with pytest.raises(ValueError, match=r"f\.csv: the files of orders are csv\.gz"):
        scan(tmp_path, DATASETS)
    put(tmp_path / "oders" / "f.csv.gz", b"a\n")
    with pytest.raises(ValueError, match=r"oders: not the folder of a data type; .* orders, stock, clicks, bills"):
        scan(tmp_path, DATASETS)


def test_settings_that_make_no_sense_are_refused(directory: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        scan(directory, DATASETS, records_per_file=0)
    with pytest.raises(ValueError, match="'shuffled' is not one of"):
        scan(directory, DATASETS, order="shuffled")  # type: ignore[arg-type]
