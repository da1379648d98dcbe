"""The description of a pipeline: `pipeline.toml`, validated.

In: a TOML file. Out: a frozen `Pipeline`, or a UsageError with one line for each thing that is wrong. It knows what AWS
and Redshift allow, but nothing of stacks, clients or runs.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from generators.dataset import Column, Dataset
from harness.errors import UsageError

FileFormat = Literal["csv.gz", "jsonl.gz", "parquet", "csv"]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,126}$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,126}\.[a-z_][a-z0-9_]{0,126}$")]

# wr.redshift.copy writes its Parquet here, in the landing bucket, where no notification listens.
COPY_STAGING_PREFIX = "_staging/"
# AWS advises a visibility timeout of at least six times what the function takes (Lambda Developer Guide: SQS).
VISIBILITY_PER_FUNCTION_TIME = 6
LINEAGE_COLUMNS = ("source_file", "source_row", "loaded_at", "merged_at")

_READABLE_PATTERNS = {
    r"^[a-z_][a-z0-9_]{0,126}$": "a lower-case identifier (letters, digits, _)",
    r"^[a-z_][a-z0-9_]{0,126}\.[a-z_][a-z0-9_]{0,126}$": "a lower-case schema.table",
    r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$": "a bucket name of 3 to 63 lower-case letters, digits, dots and hyphens",
    r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$": "a dotted path such as handler.app.handler",
    r"^[a-z][a-z0-9_-]{0,30}$": "at most 31 lower-case letters, digits, - and _",
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FunctionSettings(_Section):
    """The Lambda functions: one for each type, all from the same image. `python` runs them here."""

    handler: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")] = "handler.app.handler"
    image: str = "nrt-handler:latest"
    timeout_s: Annotated[int, Field(ge=1, le=900)] = 60
    memory_mb: Annotated[int, Field(ge=128, le=10240)] = 1024
    # What an invocation is known to take at worst, cold start included: time compression stays clear of it.
    worst_case_s: Annotated[float, Field(gt=0, le=900)] = 10.0
    reserved_concurrency: Annotated[int, Field(ge=0, le=1000)] | None = None
    environment: dict[str, str] = {}
    python: str | None = None


class QueueSettings(_Section):
    """The queue of a type, its dead letter queue and its event source mapping."""

    visibility_timeout_s: Annotated[int, Field(ge=0, le=43200)] = 360
    retention_s: Annotated[int, Field(ge=60, le=1209600)] = 345600
    dead_letter_retention_s: Annotated[int, Field(ge=60, le=1209600)] = 1209600
    max_receive_count: Annotated[int, Field(ge=1, le=1000)] = 3
    batch_size: Annotated[int, Field(ge=1, le=10000)] = 1
    batch_window_s: Annotated[int, Field(ge=0, le=300)] = 0
    maximum_concurrency: Annotated[int, Field(ge=2, le=1000)] | None = None

    @model_validator(mode="after")
    def _large_batches_need_a_window(self) -> Self:
        if self.batch_size > 10 and self.batch_window_s < 1:
            raise ValueError(f"batch_size {self.batch_size} is above 10, which needs a batch_window_s of at least 1")
        return self


class MergeSettings(_Section):
    """The job that merges stage into final tables; `{type}` in `sql` stands for the type's name."""

    every_s: Annotated[float, Field(gt=0)] = 900.0
    sql: str


class WarehouseModel(_Section):
    """What you believe of your cluster: a model of its time, off by default, never a measurement and never scaled.

    A COPY waits copy_queue_s before it takes its table's lock, and then takes copy_base_s + rows x copy_per_row_s with
    that lock held; a commit of writes takes commit_s. Each is multiplied by a log-normal factor with median 1 and sigma
    `spread`. At most `wlm_slots` statements run at a time, and at most `max_connections` sessions are taken.
    """

    copy_base_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    copy_per_row_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    commit_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    spread: Annotated[float, Field(ge=0, le=3)] = 0.0
    seed: Annotated[int, Field(ge=0)] = 0
    wlm_slots: Annotated[int, Field(ge=0, le=1000)] = 0
    copy_queue_s: Annotated[float, Field(ge=0, le=900, allow_inf_nan=False)] = 0.0
    max_connections: Annotated[int, Field(ge=0, le=2000)] = 0


class BatchSettings(_Section):
    """A Glue job that takes the place of queues, functions and merge schedule: it loads and merges by itself.

    `workers` and `worker_type` are Glue's; `driver_memory_mb` is the heap here. `max_band_s` and `group_files` are as
    Glue's bookmarks and readers have them.
    """

    job: str
    every_s: Annotated[float, Field(gt=0)] = 1800.0
    workers: Annotated[int, Field(ge=2, le=299)] = 2
    worker_type: Literal["G.025X", "G.1X", "G.2X"] = "G.1X"
    driver_memory_mb: Annotated[int, Field(ge=32)] = 1024
    group_files: bool = False
    max_band_s: Annotated[float, Field(ge=0)] = 900.0
    timeout_s: Annotated[float, Field(gt=0)] = 1800.0


class WarehouseSettings(_Section):
    """`ddl` makes the stage and final tables, in Redshift's dialect; `model` is how slow it pretends to be."""

    ddl: str
    model: WarehouseModel = WarehouseModel()


class ColumnSettings(_Section):
    """One column of a type; all but `type` only tell the generator what values to make."""

    type: str
    faker: str | None = None
    values: tuple[str, ...] | None = None
    min: float | None = None
    max: float | None = None


def _column_from_type(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


def _tuple_from_list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _columns_from_toml(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: {**column, "values": _tuple_from_list(column["values"])}
        if isinstance(column, dict) and "values" in column
        else _column_from_type(column)
        for name, column in value.items()
    }


class TypeSettings(_Section):
    """One data type: its prefix and format on S3, its tables, its record key and version."""

    prefix: str
    format: FileFormat
    stage_table: TableName
    final_table: TableName
    key: Annotated[tuple[Identifier, ...], BeforeValidator(_tuple_from_list), Field(min_length=1)]
    version: Identifier | None = None
    # Columns whose content is compared after the merge: all by default. Leave out what your merge transforms.
    verify: Annotated[tuple[Identifier, ...], BeforeValidator(_tuple_from_list)] | None = None
    share: Annotated[float, Field(gt=0)] = 1.0
    columns: Annotated[dict[Identifier, ColumnSettings], BeforeValidator(_columns_from_toml), Field(min_length=1)]
    queue: QueueSettings = QueueSettings()
    function: FunctionSettings = FunctionSettings()

    @model_validator(mode="after")
    def _prefix_can_match(self) -> Self:
        if "=" in self.prefix:
            raise ValueError(
                f"prefix {self.prefix!r} holds '=': S3 compares the filter with the percent-encoded key, "
                "so it would silently never match"
            )
        if not re.fullmatch(r"([A-Za-z0-9_.-]+/)+", self.prefix) or self.prefix.startswith(COPY_STAGING_PREFIX):
            raise ValueError(
                f"prefix {self.prefix!r} is not a path of letters, digits, '_', '.' and '-' that ends in '/' "
                f"(and is not {COPY_STAGING_PREFIX!r}, where COPY stages its files)"
            )
        return self

    @model_validator(mode="after")
    def _names_are_columns(self) -> Self:
        for what, names in (("key", self.key), ("version", (self.version,)), ("verify", self.verify or ())):
            for name in names:
                if name is not None and name not in self.columns:
                    raise ValueError(f"{what} {name!r} is not one of the columns {', '.join(self.columns)}")
        for name in LINEAGE_COLUMNS:
            if name in self.columns:
                raise ValueError(f"column {name!r} is a lineage column: the handler and the merge add it")
        return self

    @property
    def verified_columns(self) -> tuple[str, ...]:
        """The columns whose content must arrive unchanged."""
        return self.verify if self.verify is not None else tuple(self.columns)


class Pipeline(_Section):
    """A validated `pipeline.toml`. `directory` is where it lies; paths in it are relative to that."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] = "landing"
    sla_s: Annotated[float, Field(gt=0)] = 1800.0
    records_per_file: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    function: FunctionSettings = FunctionSettings()
    queue: QueueSettings = QueueSettings()
    warehouse: WarehouseSettings
    merge: MergeSettings
    batch: BatchSettings | None = None
    types: Annotated[
        dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")], TypeSettings], Field(min_length=1)
    ]
    directory: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _prefixes_do_not_shadow(self) -> Self:
        for name, settings in self.types.items():
            for other_name, other in self.types.items():
                if name != other_name and other.prefix.startswith(settings.prefix):
                    raise ValueError(
                        f"types.{name}.prefix {settings.prefix!r} also matches types.{other_name}.prefix "
                        f"{other.prefix!r}: S3 refuses overlapping filters for one event"
                    )
        return self

    @model_validator(mode="after")
    def _function_ends_before_its_message_returns(self) -> Self:
        for name in self.types:
            timeout_s, visibility_s = self.function_of(name).timeout_s, self.queue_of(name).visibility_timeout_s
            if timeout_s > visibility_s:
                raise ValueError(
                    f"types.{name}: function timeout_s {timeout_s} is above the queue's visibility_timeout_s "
                    f"{visibility_s}: AWS refuses the event source mapping"
                )
        return self

    def queue_of(self, type_name: str) -> QueueSettings:
        """The queue settings of a type: `[queue]`, overridden by `[types.NAME.queue]`."""
        return _overridden(self.queue, self.types[type_name].queue)

    def function_of(self, type_name: str) -> FunctionSettings:
        """The function settings of a type: `[function]`, overridden by `[types.NAME.function]`."""
        return _overridden(self.function, self.types[type_name].function)

    def dataset(self, type_name: str) -> Dataset:
        """What the generators need to know of a type."""
        settings = self.types[type_name]
        columns = tuple(
            Column(name, column.type, column.faker, column.values, column.min, column.max)
            for name, column in settings.columns.items()
        )
        return Dataset(type_name, columns, settings.key, settings.version, settings.format)

    def merge_sql(self, type_name: str) -> Path:
        """The file that holds the merge of a type."""
        return self.directory / self.merge.sql.replace("{type}", type_name)

    @property
    def merge_every_s(self) -> float:
        """How often what was delivered becomes queryable: by the merge job, or by the batch job that merges itself."""
        return self.batch.every_s if self.batch else self.merge.every_s

    @property
    def ddl(self) -> Path:
        """The file that makes the tables."""
        return self.directory / self.warehouse.ddl


_Settings = TypeVar("_Settings", bound=BaseModel)


def _overridden(settings: _Settings, override: _Settings) -> _Settings:
    return settings.model_copy(update={name: getattr(override, name) for name in override.model_fields_set})


def load(path: Path) -> Pipeline:
    """Read and validate a pipeline description.

    Raises:
        UsageError: one line for each mistake: file, key, value and what is allowed.
    """
    raw = _read(path)
    if (base := raw.pop("extends", None)) is not None:
        if not isinstance(base, str) or Path(base).name != base:
            raise UsageError(f"{path}: extends: {base!r} is not the name of a file in the same directory")
        raw = {**_read(path.with_name(base)), **raw}
        if "extends" in raw:
            raise UsageError(f"{path}: extends: {base!r} itself extends another description, which is not allowed")
    raw.pop("directory", None)
    try:
        pipeline = Pipeline.model_validate({**raw, "directory": path.resolve().parent})
    except ValidationError as error:
        raise UsageError("\n".join(f"{path}: {line}" for line in _readable(error))) from error
    _check_references(path, pipeline)
    return pipeline


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file; `harness init DIR` writes one to start from") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def _check_references(path: Path, pipeline: Pipeline) -> None:
    files = {"warehouse.ddl": pipeline.ddl} | {
        f"merge.sql (types.{name})": pipeline.merge_sql(name) for name in pipeline.types
    }
    if pipeline.batch:
        files["batch.job"] = pipeline.directory / pipeline.batch.job
    for key, file in files.items():
        if not file.is_file():
            raise UsageError(f"{path}: {key}: {str(file)!r} is not a file")
    for name in pipeline.types:
        try:
            pipeline.dataset(name)
        except ValueError as error:
            raise UsageError(f"{path}: types.{name}.columns: {error}") from error


def _known_keys(section: tuple[int | str, ...]) -> list[str]:
    models: dict[tuple[int | str, ...], type[BaseModel]] = {
        ("function",): FunctionSettings,
        ("queue",): QueueSettings,
        ("warehouse",): WarehouseSettings,
        ("warehouse", "model"): WarehouseModel,
        ("merge",): MergeSettings,
        ("batch",): BatchSettings,
        ("types",): TypeSettings,
        ("types", "columns"): ColumnSettings,
    }
    # types.NAME.queue and the like: the user's own names are not part of the path of sections
    generic = tuple(part for at, part in enumerate(section) if not (section[0] == "types" and at in (1, 3)))
    if len(generic) == 2 and generic[1] in ("queue", "function"):
        generic = generic[1:]
    model = models.get(generic, Pipeline)
    return [name for name in model.model_fields if name != "directory"]


def _readable(error: ValidationError) -> list[str]:
    lines = []
    for detail in error.errors():
        where = ".".join(str(part) for part in detail["loc"] if part != "[key]")
        value, context = detail["input"], detail.get("ctx", {})
        match detail["type"]:
            case "extra_forbidden":
                text = f"is not a key that is known here (allowed: {', '.join(_known_keys(detail['loc'][:-1]))})"
            case "missing":
                text = "is missing"
            case "literal_error":
                allowed = context["expected"].replace("'", "").replace(" or ", ", ")
                text = f"{value!r} is not one of {allowed}"
            case "string_pattern_mismatch":
                text = f"{value!r} is not {_READABLE_PATTERNS.get(context['pattern'], context['pattern'])}"
            case "value_error":
                text = str(context["error"])
            case _:
                text = f"{value!r}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
        lines.append(f"{where}: {text}" if where else text)
    return lines
