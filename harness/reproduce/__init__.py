"""`harness reproduce`: the original's published figures beside what runs here have measured.

`figures` takes from a run what was published of the original, `page` writes docs/reproduction.md from them.
"""
