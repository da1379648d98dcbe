"""The Pipeline tab in Locust's own web page, by the means that Locust has for it: extended tabs, tables and statistics.

In: the figures that the leader keeps. Out: a tab with a table, and below it merge runs, dead letters and the charts of
the live view, which the conducting process serves on loopback and this passes on. Nothing can be changed through it.
"""

import http.client
import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request

from harness.load.lead import Leader

logger = logging.getLogger(__name__)
KEY = "pipeline"
COLUMNS = (
    ("type", "Type"), ("uploaded", "Uploaded"), ("queued", "Queue Depth"), ("flight", "In Flight"),
    ("oldest", "Oldest (s)"), ("stage", "Stage Rows"), ("final", "Final Rows"), ("merges", "Merge Runs"),
    ("dead", "Dead Letters"),
)  # fmt: skip
LIVE_TIMEOUT_S = 30
_STATIC = Path(__file__).parent / "static"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def install(web_ui: Any, leader: Leader) -> None:
    """Add the tab to Locust's page."""
    web_ui.template_args |= {
        "extended_tabs": [{"title": "Pipeline", "key": KEY}],
        "extended_tables": [{"key": KEY, "structure": [{"key": key, "title": title} for key, title in COLUMNS]}],
    }
    base: str = web_ui.environment.parsed_options.web_base_path or ""
    blueprint = Blueprint("nrt_pipeline", __name__)

    @blueprint.route(f"/{KEY}/figures.json")
    @web_ui.auth_required_if_enabled  # type: ignore[untyped-decorator]
    def figures() -> Response:
        """What is below the table, and whether there is a live view."""
        return _plain(jsonify(leader.panel | {"live": leader.live_url is not None, "verdict": leader.verdict}))

    @blueprint.route(f"/{KEY}/tab.js")
    @web_ui.auth_required_if_enabled  # type: ignore[untyped-decorator]
    def script() -> Response:
        """The script that shows it."""
        return _plain(Response((_STATIC / "tab.js").read_text(encoding="utf-8"), mimetype="text/javascript"))

    @blueprint.route(f"/{KEY}/live/")
    @blueprint.route(f"/{KEY}/live/live.json")
    @web_ui.auth_required_if_enabled  # type: ignore[untyped-decorator]
    def live() -> Response:
        """The live view of the conducting process."""
        return _live(leader, "/live.json" if request.path.endswith(".json") else "/")

    @web_ui.app.after_request  # type: ignore[untyped-decorator]
    def extend(response: Response) -> Response:
        """The table's figures into the statistics that the page asks for, and the script into the page."""
        path = request.path.removeprefix(base)
        if path == "/stats/requests" and response.status_code == 200:
            extended = [{"key": KEY, "data": leader.panel.get("rows", [])}]
            response.set_data(json.dumps(response.get_json() | {"extended_stats": extended}))
        elif path in ("", "/") and response.mimetype == "text/html" and response.status_code == 200:
            tag = f'<script type="module" src="./{KEY}/tab.js"></script></body>'
            response.set_data(response.get_data(as_text=True).replace("</body>", tag))
        return response

    web_ui.app.register_blueprint(blueprint, url_prefix=base or None)


def _plain(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response


def _live(leader: Leader, path: str) -> Response:
    if leader.live_url is None:
        return Response("no run is going on\n", 404, mimetype="text/plain")
    address = urlsplit(leader.live_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=LIVE_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except OSError:
        return Response("the run has ended\n", 404, mimetype="text/plain")
    finally:
        connection.close()
    kept = ("Content-Type", "Content-Encoding")
    response = Response(body, answer.status, {name: answer.headers[name] for name in kept if name in answer.headers})
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return _plain(response)
