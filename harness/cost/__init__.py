"""What a pipeline would cost on AWS: a model, from measured or assumed quantities and dated list prices.

`load` says what a day of the pipeline is like, `measured` takes that from a run, `event_driven` and `batch` turn it
into lines of a bill for the two designs, `price_list` holds the prices. Nothing here is a bill of AWS.
"""
