"""Exit 0 when every service that SERVICES names is up (the port answers before they are, and when they failed)."""

import json
import os
import sys
import urllib.request

with urllib.request.urlopen("http://127.0.0.1:4566/_localstack/health", timeout=4) as answer:
    states = json.load(answer)["services"]
sys.exit(any(states.get(name) not in ("available", "running") for name in os.environ["SERVICES"].split(",")))
