"""A LocalStack plugin: Lambda functions as processes, and an SQS event source that scales as AWS's does.

It runs inside the emulator's own Python environment and imports only the standard library and LocalStack. Modules
without LocalStack imports (environment, runtime_api, launcher, scaling, batching …) are usable and tested on their own.
"""
