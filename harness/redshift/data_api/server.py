"""Serves the Data API and the temporary credentials over HTTP, on loopback, in threads of the gateway's process.

In: requests of any AWS SDK whose endpoint URL is this server's. Out: answers in the protocol of the service that was
asked. Signatures are not checked: whoever reaches the port may use it. What is not served here is refused by name.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from botocore.model import OperationModel
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from harness.redshift.data_api import shapes
from harness.redshift.data_api.clusters import Clusters
from harness.redshift.data_api.credentials import TemporaryCredentials
from harness.redshift.data_api.errors import ApiError
from harness.redshift.data_api.operations import DataApi, Operation

_logger = logging.getLogger(__name__)
REQUEST_MAX_BYTES = 10_000_000  # forty statements of 100 kB, and parameters


@dataclass(frozen=True)
class _Served:
    """One operation that this server answers, and the description of its shapes."""

    model: OperationModel
    run: Operation


def _served(service: str, operations: dict[str, Operation]) -> dict[str, _Served]:
    model = shapes.service(service)
    return {name: _Served(model.operation_model(name), run) for name, run in operations.items()}


class Application:
    """The WSGI application."""

    def __init__(self, api: DataApi, credentials: TemporaryCredentials, clusters: Clusters) -> None:
        serverless: dict[str, Operation] = {"GetCredentials": credentials.get_credentials}
        self._by_target = {"RedshiftData": _served("redshift-data", api.operations),
                           "RedshiftServerless": _served("redshift-serverless", serverless)}  # fmt: skip
        provisioned: dict[str, Operation] = {"GetClusterCredentials": credentials.get_cluster_credentials,
                                             "DescribeClusters": clusters.describe_clusters}  # fmt: skip
        self._by_action = _served("redshift", provisioned)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        request.max_content_length = REQUEST_MAX_BYTES
        try:
            response = self._answer(request)
        except Exception:
            _logger.exception("the Data API failed")
            response = _json_error(ApiError("InternalServerException", "the stand-in failed: see its log", 500))
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        target = request.headers.get("X-Amz-Target")
        if request.method != "POST" or (target is None and request.mimetype != "application/x-www-form-urlencoded"):
            return _json_error(
                ApiError("UnknownOperationException", "this serves the Redshift Data API to AWS SDKs", 404)
            )
        if (request.content_length or 0) > REQUEST_MAX_BYTES:
            return _json_error(ApiError("ValidationException", f"a request is at most {REQUEST_MAX_BYTES} bytes", 413))
        body = request.get_data()
        return self._query(body) if target is None else self._json(target, body)

    def _json(self, target: str, body: bytes) -> Response:
        service, _, name = target.partition(".")
        served = self._by_target.get(service, {}).get(name)
        if served is None:
            known = ", ".join(f"{service}.*" for service in self._by_target)
            return _json_error(ApiError("UnknownOperationException", f"{target} is not served here: {known} are"))
        try:
            answer = served.run(shapes.read_json(body, served.model))
        except ApiError as error:
            return _json_error(error)
        return _json_response(shapes.write_json(answer), 200)

    def _query(self, body: bytes) -> Response:
        action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
        respond = partial(Response, mimetype="text/xml")
        served = self._by_action.get(action)
        try:
            if served is None:
                raise ApiError("InvalidAction", f"{action} is not served here: {', '.join(self._by_action)} are")
            answer = served.run(shapes.read_query(body, served.model))
        except ApiError as error:
            return respond(shapes.write_query_error(error), status=error.status)
        return respond(shapes.write_query(answer, served.model))


def _json_error(error: ApiError) -> Response:
    response = _json_response(shapes.write_json({"__type": error.code, "message": error.message}), error.status)
    response.headers["x-amzn-ErrorType"] = error.code
    return response


def _json_response(body: bytes, status: int) -> Response:
    return Response(body, status=status, content_type="application/x-amz-json-1.1")


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections open as SDKs expect, and says nothing of each request."""

    protocol_version = "HTTP/1.1"
    timeout = 120

    def log_request(self, *_arguments: Any, **_options: Any) -> None:
        return


class Server:
    """A listening server; `close` ends it."""

    def __init__(self, host: str, port: int, application: Application) -> None:
        self._server = make_server(host, port, application, threaded=True, request_handler=_QuietHandler)
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="redshift-data-api-http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
