"""What `harness run` changes in a pipeline for one run: how long a file is in the function, how many run at once.

In: a pipeline and options. Out: a changed copy. The time in the function is a model's: the stand-in lets a COPY wait
before it takes its table's lock, as a queued or compiling COPY does, so that files of a type do not wait for each
other.
"""

from harness.errors import UsageError
from harness.pipeline import Pipeline, TypeSettings

# Beside the modelled wait: reading, checking, staging and the COPY itself, on a busy machine.
OWN_WORK_S = 15.0


def overridden(pipeline: Pipeline, function_s: float | None, maximum_concurrency: int | None) -> Pipeline:
    """The pipeline as this run has it.

    Raises:
        UsageError: files would be in the function for longer than its timeout lets them.
    """
    if function_s is not None:
        for name in pipeline.types:
            timeout_s = pipeline.function_of(name).timeout_s
            if function_s + OWN_WORK_S > timeout_s:
                raise UsageError(
                    f"--function-s {function_s:g}: types.{name}: the function's timeout_s {timeout_s} leaves it "
                    f"less than {OWN_WORK_S:g} s for its own work"
                )
        if pipeline.batch is None:  # a batch job has no function to be in
            model = pipeline.warehouse.model.model_copy(update={"copy_queue_s": function_s})
            warehouse = pipeline.warehouse.model_copy(update={"model": model})
            pipeline = pipeline.model_copy(update={"warehouse": warehouse})
    types = {name: _type(settings, function_s, maximum_concurrency) for name, settings in pipeline.types.items()}
    return pipeline.model_copy(update={"types": types})


def _type(settings: TypeSettings, function_s: float | None, maximum_concurrency: int | None) -> TypeSettings:
    changed = settings
    if maximum_concurrency is not None:
        queue = changed.queue.model_copy(update={"maximum_concurrency": maximum_concurrency})
        changed = changed.model_copy(update={"queue": queue})
    if function_s is not None:
        function = changed.function.model_copy(update={"worst_case_s": function_s + OWN_WORK_S})
        changed = changed.model_copy(update={"function": function})
    return changed
