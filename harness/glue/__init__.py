"""The batch design's half of the harness: where its job runs, how a run of it is started and what it costs in DPUs."""
