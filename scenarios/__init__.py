"""The catalogue: one scenario in each module, each a value named `scenario`."""
