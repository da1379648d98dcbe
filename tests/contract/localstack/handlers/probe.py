"""A function that does what its event asks for; the contract tests' way to look inside an execution environment."""

# ruff: noqa: ARG001 - every action has the same signature, and /tmp is what is being tested

import faulthandler
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

STARTED = time.time()
COUNTER = {"invokes": 0, "background": 0}


def handler(event, context):
    """Do one thing, named by `do`; answer with what was found."""
    COUNTER["invokes"] += 1
    action = event.get("do", "echo")
    return ACTIONS[action](event, context)


def _echo(event, context):
    return event


def _context(event, context):
    return {
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "version": context.function_version,
        "memory_mb": context.memory_limit_in_mb,
        "log_group": context.log_group_name,
        "log_stream": context.log_stream_name,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "trace_id": os.environ.get("_X_AMZN_TRACE_ID", ""),
        "invokes": COUNTER["invokes"],
        "pid": os.getpid(),
        "cwd": str(Path.cwd()),
        "environment": dict(os.environ),
    }


def _sleep(event, context):
    print("going to sleep", flush=True)
    time.sleep(event["seconds"])
    return "awake"


def _print(event, context):
    print(event["text"])


def _raise(event, context):
    raise ValueError(event.get("message", "as asked"))


def _exit(event, context):
    os._exit(event["code"])


def _sys_exit(event, context):
    sys.exit(event.get("code", 0))


def _segfault(event, context):
    os.kill(os.getpid(), 11)
    time.sleep(5)


def _allocate(event, context):
    block = bytearray(event["mb"] * 2**20)
    time.sleep(event.get("seconds", 1))
    return len(block)


def _allocate_in_child(event, context):
    code = f"import time; block = bytearray({event['mb']} * 2**20); time.sleep({event.get('seconds', 1)})"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode


def _unserialisable(event, context):
    return {"value": object()}


def _big(event, context):
    return "x" * event["size_bytes"]


def _recurse(event, context):
    return _recurse(event, context)


def _overflow_stack(event, context):
    faulthandler._stack_overflow()


def _tmp_size_mb(event, context):
    found = os.statvfs("/tmp")
    return found.f_blocks * found.f_frsize // 2**20


def _write_tmp(event, context):
    Path("/tmp", event["name"]).write_bytes(b"x" * event.get("size_bytes", 1))
    return sorted(path.name for path in Path("/tmp").iterdir())


def _fill_tmp(event, context):
    with Path("/tmp", "fill").open("wb") as file:
        for _ in range(event["mb"]):
            file.write(b"x" * 2**20)


def _open_files_max(event, context):
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _write_code(event, context):
    Path(os.environ["LAMBDA_TASK_ROOT"], "new").touch()


def _list_tmp(event, context):
    return sorted(path.name for path in Path("/tmp").iterdir())


def _count_in_background(event, context):
    def count():
        while True:
            COUNTER["background"] += 1
            time.sleep(0.01)

    threading.Thread(target=count, daemon=True).start()


def _background(event, context):
    return COUNTER["background"]


ACTIONS = {
    "echo": _echo,
    "context": _context,
    "sleep": _sleep,
    "print": _print,
    "raise": _raise,
    "exit": _exit,
    "sys_exit": _sys_exit,
    "segfault": _segfault,
    "allocate": _allocate,
    "allocate_in_child": _allocate_in_child,
    "unserialisable": _unserialisable,
    "big": _big,
    "recurse": _recurse,
    "overflow_stack": _overflow_stack,
    "tmp_size_mb": _tmp_size_mb,
    "write_tmp": _write_tmp,
    "list_tmp": _list_tmp,
    "open_files_max": _open_files_max,
    "write_code": _write_code,
    "fill_tmp": _fill_tmp,
    "count_in_background": _count_in_background,
    "background": _background,
}
