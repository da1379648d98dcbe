"""What the pytest plugin's fixtures are made of: stacks, a pipeline to deliver to, scenarios and their verdicts."""
