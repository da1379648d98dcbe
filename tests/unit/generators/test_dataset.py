import pyarrow as pa
import pytest

from generators.dataset import Column, Dataset, arrow_schema, bounds, parse_type


@pytest.mark.parametrize(
    ("text", "arrow"),
    [
        ("smallint", pa.int16()),
        ("INTEGER", pa.int32()),
        ("bigint", pa.int64()),
        ("real", pa.float32()),
        ("double  precision", pa.float64()),
        ("numeric(12, 2)", pa.decimal128(12, 2)),
        ("decimal(38,37)", pa.decimal128(38, 37)),
        ("numeric", pa.decimal128(18, 0)),
        ("varchar(16)", pa.string()),
        ("varchar(max)", pa.string()),
        ("character varying ( 5 )", pa.string()),
        ("char(3)", pa.string()),
        ("boolean", pa.bool_()),
        ("date", pa.date32()),
        ("timestamp", pa.timestamp("us")),
        ("timestamptz", pa.timestamp("us", tz="UTC")),
        ("timestamp with time zone", pa.timestamp("us", tz="UTC")),
    ],
)
def test_redshift_types_become_arrow_types(text: str, arrow: pa.DataType) -> None:
    dataset = Dataset("t", (Column("a", text),), ("a",), None, "csv")
    assert arrow_schema(dataset) == pa.schema([("a", arrow)])


def test_lengths_count_bytes_and_have_redshifts_defaults() -> None:
    assert parse_type("varchar").length_bytes == 256
    assert parse_type("char").length_bytes == 1
    assert parse_type("varchar(max)").length_bytes == 65535
    assert parse_type("char(3)").fixed


@pytest.mark.parametrize(
    "text",
    ["super", "geometry", "varchar(0)", "varchar(65536)", "char(4097)", "numeric(39,2)", "numeric(5,6)", "int[]"],
)
def test_an_unsupported_type_is_named_with_its_column(text: str) -> None:
    with pytest.raises(ValueError, match=r"column 'a': type '.+'") as error:
        Column("a", text)
    assert text in str(error.value)


def test_a_faker_provider_that_is_not_there_is_named_with_its_column() -> None:
    with pytest.raises(ValueError, match=r"column 'a': type 'varchar\(9\)': Faker has no provider 'cty'"):
        Column("a", "varchar(9)", faker="cty")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (lambda: Column("a", "bigint", faker="city"), "not text"),
        (lambda: Column("a", "date", values=("x",)), "not text"),
        (lambda: Column("a", "varchar(3)", values=("łód",)), "takes 5 bytes"),
        (lambda: Column("a", "char(9)", values=("łódź",)), "not ASCII"),
        (lambda: Column("a", "varchar(3)", values=()), "empty"),
        (lambda: Column("a", "varchar(9)", faker="city", values=("x",)), "both"),
        (lambda: Column("a", "varchar(9)", minimum=1), "no number"),
        (lambda: Column("a", "smallint", maximum=40_000), "outside"),
        (lambda: Column("a", "numeric(4,2)", maximum=100), "outside"),
        (lambda: Column("a", "integer", minimum=5, maximum=4), "above its maximum"),
    ],
)
def test_settings_that_do_not_go_with_the_type_are_refused(column, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=f"column 'a': .*{message}"):
        column()


def test_bounds_keep_within_the_type() -> None:
    assert bounds(Column("a", "smallint")) == (0, 32767)
    assert bounds(Column("a", "integer", minimum=2e6)) == (2e6, 2e6)
    assert bounds(Column("a", "integer", maximum=-5))[1] == -5
    assert bounds(Column("a", "numeric(4,2)"))[1] < 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("a",), None, "xls"), "format 'xls' is not one of csv.gz"),
        ((("b",), None, "csv"), "'b' is not one of its columns a"),
        ((("a",), "v", "csv"), "'v' is not one of its columns a"),
    ],
)
def test_a_dataset_that_does_not_fit_together_is_refused(
    arguments: tuple[tuple[str, ...], str | None, str], message: str
) -> None:
    key, version, file_format = arguments
    with pytest.raises(ValueError, match=f"t: {message}"):
        Dataset("t", (Column("a", "bigint"),), key, version, file_format)


def test_a_column_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'a' is there more than once"):
        Dataset("t", (Column("a", "bigint"), Column("a", "bigint")), ("a",), None, "csv")
