"""Faults: values that a scenario puts on its timeline. Each knows how to do harm, how to undo it, and what it did."""
