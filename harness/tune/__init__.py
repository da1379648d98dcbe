"""`harness tune memory`: which memory size and batch size suit the handler.

`cpu_share` gives a process the CPU that Lambda gives to a memory size, `bench` runs the real handler under it, `points`
prices what came out and recommends one, `show` draws it.
"""
