"""Load: the process that uploads files at their intended times, and the one that makes them ahead of time."""
