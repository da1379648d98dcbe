"""A model of the pipeline, calibrated from a run: what it would do at another rate, or with other settings."""
