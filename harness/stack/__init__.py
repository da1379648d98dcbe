"""Where a pipeline runs: a stack is a context manager that yields endpoints."""
