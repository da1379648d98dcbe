"""The merge of a type through the Redshift Data API, as EventBridge Scheduler asks for it in production.

In: a type's statements. Out: a `TypeMerge`. BatchExecuteStatement makes one transaction of them (Redshift Data API
Reference, "BatchExecuteStatement").
"""

import time
from typing import Any

from harness.aws import Aws
from harness.merge import TypeMerge, label
from harness.stack.endpoints import Endpoints, OnAws

LOOK_EVERY_S = 0.25
_WORKING = ("SUBMITTED", "PICKED", "STARTED")


def merge_type(endpoints: Endpoints, on_aws: OnAws, type_name: str, script: tuple[str, ...]) -> TypeMerge:
    """Run a type's script; a failure is in the result."""
    from botocore.exceptions import BotoCoreError, ClientError

    started_s, client = time.time(), Aws(endpoints).redshift_data
    target: dict[str, Any] = dict(on_aws.data_api_target)
    try:
        found: Any = client.batch_execute_statement(
            Sqls=list(script), Database=endpoints.redshift.database, SecretArn=on_aws.secret_arn, **target
        )
        while (state := client.describe_statement(Id=found["Id"]))["Status"] in _WORKING:
            time.sleep(LOOK_EVERY_S)
    except (BotoCoreError, ClientError) as error:
        return TypeMerge(type_name, started_s, None, (), str(error))
    finally:
        client.close()
    rows = tuple(
        {"statement": label(statement), "rows": part["ResultRows"]}
        for statement, part in zip(script, state.get("SubStatements", []), strict=False)
        if part.get("ResultRows", -1) >= 0
    )
    if state["Status"] != "FINISHED":
        return TypeMerge(type_name, started_s, None, rows, state.get("Error") or state["Status"])
    # the warehouse's own word on when it was done; a clock that runs ahead must not make it later than now
    return TypeMerge(type_name, started_s, min(state["UpdatedAt"].timestamp(), time.time()), rows, None)
