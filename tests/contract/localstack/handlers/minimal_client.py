"""A runtime client in the standard library alone: what a custom runtime's `bootstrap` is, in any Python.

It asks for events, calls the handler named by _HANDLER and answers, as "Building a custom runtime for AWS Lambda" says.
"""

import importlib
import json
import os
import sys
import urllib.request

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def main():
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    while True:
        with urllib.request.urlopen(f"{API}/next") as event:
            request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
            answer = handler(json.load(event), None)
        urllib.request.urlopen(f"{API}/{request_id}/response", data=json.dumps(answer).encode()).close()


main()
