"""The gateway: listens for Redshift clients, checks their password and gives each a session on PostgreSQL.

In: `Settings`. Out: a listening socket, its CA file, a query log. It knows the startup part of the protocol; what
follows is a `Session`'s.
"""

import asyncio
import contextlib
import logging
import secrets
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import uvloop

from harness.priority import prioritize
from harness.redshift import catalog, connect, streams, tls, warm
from harness.redshift import messages as wire
from harness.redshift.authorization import act_as
from harness.redshift.backend import Backend, BackendLost
from harness.redshift.connect import Address, BackendRefused
from harness.redshift.copy.load import Loader
from harness.redshift.copy.objects import ObjectStore
from harness.redshift.copy.unload import Unloader
from harness.redshift.copy.work import S3Work
from harness.redshift.elsewhere import Databases, NoSuchDatabase
from harness.redshift.identity import Identity
from harness.redshift.inbox import Inbox
from harness.redshift.latency import LatencyModel
from harness.redshift.logins import Answer, Login, Logins
from harness.redshift.long_names import LongNames
from harness.redshift.messages import ProtocolError, Refusal
from harness.redshift.querylog import QueryLog
from harness.redshift.recorder import ConnectionEvent, LoadRecorder
from harness.redshift.relay import Relay
from harness.redshift.session import Session
from harness.redshift.streams import DirectReader
from harness.redshift.tokens import is_number
from harness.redshift.vacuum import AutomaticVacuum
from harness.redshift.wording import as_redshift_error
from harness.redshift.workload import Workload

if TYPE_CHECKING:
    from harness.redshift.data_api.service import Service

_logger = logging.getLogger(__name__)
SERVER_VERSION = "8.0.2"
_HIDDEN_PARAMETERS = {b"server_version": SERVER_VERSION.encode()}
# What drivers read at startup: which SHOW commands there are (they ask up to 4; SHOW of a whole database is on no page
# of the guide), and whether these look into other databases of the cluster.
DISCOVERY = {"show_discovery": "4", "datashare_enabled": "on"}
PROTOCOL_VERSION = 2  # of Redshift's additions: 1 describes columns with their origin, 2 sends numbers in binary
STARTUP_TIMEOUT_S = 60
THREADS = 16
# What drivers of Redshift send at startup and PostgreSQL does not know.
_BACKEND_PARAMETERS = frozenset(
    ("application_name", "client_encoding", "options", "DateStyle", "datestyle", "TimeZone")
)
_SESSION_PARAMETERS = {
    "client_encoding": "UTF8",
    "datestyle": "ISO, MDY",
    "timezone": "UTC",
    "standard_conforming_strings": "off",
    "escape_string_warning": "off",
    "bytea_output": "hex",
}


@dataclass(frozen=True)
class Settings:
    """How a gateway is set up. postgres: libpq connection string of a superuser. port 0: a free one.

    authentication is "md5" or "cleartext"; s3_endpoint None means AWS itself; wlm_slots 0 means no limit on queries
    that run at the same time. data_api_port None: no Redshift Data API, 0: on a free port. unknown_statements: what
    becomes of a statement that the stand-in does not know; "log" gives it to PostgreSQL, with a warning to client and
    log. backend_niceness: of each session's process, where PostgreSQL is on this machine; None leaves it as it is.
    """

    postgres: str
    user: str
    password: str = field(repr=False)
    tls_dir: Path
    s3_endpoint: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    query_log: Path | None = None
    authentication: str = "md5"
    latency: LatencyModel = field(default_factory=LatencyModel)
    wlm_slots: int = 0
    data_api_port: int | None = None
    unknown_statements: Literal["refuse", "log"] = "refuse"
    backend_niceness: int | None = None


@dataclass(frozen=True)
class Listening:
    """Where clients connect, the CA they trust, and the endpoint URL of the Data API if it is served."""

    host: str
    port: int
    ca_file: Path
    data_api_url: str | None = None


class Gateway:
    """A gateway that has not started yet; `serve` runs it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._address = Address.from_dsn(settings.postgres)
        self._tls = tls.load_or_create(settings.tls_dir)
        self._threads = ThreadPoolExecutor(THREADS, "redshift-copy")
        self._log = QueryLog(settings.query_log)
        self._store = store = ObjectStore(settings.s3_endpoint)
        self._recorder = LoadRecorder(self._address, self._threads, self._log)
        workload = Workload(settings.latency, settings.wlm_slots)
        self._names = LongNames()
        self._databases = Databases(self._address, settings.user, settings.password)
        self._work = S3Work(
            Loader(store, self._threads, self._recorder, workload.latency),
            Unloader(store, self._threads),
            self._recorder,
            workload,
        )
        self._clients: set[asyncio.Task[None]] = set()
        self._sessions: dict[bytes, Session] = {}  # by cancel key
        self._logins = Logins(self._address, settings.user, settings.password)
        warm.warm_up(store)

    @property
    def ca_file(self) -> Path:
        return self._tls.ca_file

    async def serve(self, started: "asyncio.Future[Listening] | threading.Event", stop: asyncio.Event) -> None:
        """Listen until `stop`; `started` is set once clients can connect."""
        await asyncio.to_thread(catalog.create_roles, self._address, self._settings.user, self._settings.password)
        self._names.learn(await asyncio.to_thread(catalog.install, self._address))
        vacuum = AutomaticVacuum(self._address)
        server = await streams.start_server(self._accept, self._settings.host, self._settings.port)
        port = server.sockets[0].getsockname()[1]
        self._loop = asyncio.get_running_loop()
        data_api = await asyncio.to_thread(self._start_data_api, port)
        url = None if data_api is None else data_api.url
        self.listening = Listening(self._settings.host, port, self.ca_file, url)
        if isinstance(started, threading.Event):
            started.set()
        else:
            started.set_result(self.listening)
        await stop.wait()
        if data_api is not None:
            await asyncio.to_thread(data_api.close)
        server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await asyncio.sleep(0)  # one round of the loop, in which aborted connections are taken down
        await self._recorder.flush()
        self._recorder.close()
        await asyncio.to_thread(vacuum.close)
        self._threads.shutdown()
        self._store.close()
        self._log.close()

    def _start_data_api(self, port: int) -> "Service | None":
        settings = self._settings
        if settings.data_api_port is None:
            return None
        from harness.redshift.data_api.service import Service  # a web server, which an image without it does not have

        return Service((settings.host, port), settings.data_api_port, self._logins, self)

    # --- what the Data API asks, from threads of its own

    def query_id_of(self, process_id: int) -> int:
        """The number of the newest statement of a session, by its process id; -1 if none is kept."""
        return self._log.newest_of(process_id)

    def cancel(self, process_id: int) -> None:
        """Cancel what a session does, by its process id."""
        asyncio.run_coroutine_threadsafe(self._cancel_process(process_id), self._loop).result()

    async def _cancel_process(self, process_id: int) -> None:
        for key in list(self._sessions):
            if key.startswith(struct.pack("!I", process_id)):
                await self._cancel(key)

    async def _cancel(self, key: bytes) -> None:
        if session := self._sessions.get(key):
            session.cancel()
            await connect.cancel(self._address, key)

    # --- clients

    async def _accept(self, reader: DirectReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._serve_client(reader, writer)
        except Refusal as refusal:
            writer.write(wire.error(refusal, "FATAL"))
        except BackendRefused as refused:
            writer.write(wire.message(b"E", refused.body))
        except ProtocolError as error:
            writer.write(wire.error(Refusal("08P01", str(error)), "FATAL"))
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, TimeoutError, BackendLost):
            _logger.info("session ended", exc_info=True)  # one side is gone; the other is closed below
        except Exception:
            _logger.exception("the gateway failed; the session ends")
            writer.write(wire.error(Refusal("XX000", "the Redshift stand-in failed: see its log"), "FATAL"))
        except asyncio.CancelledError:
            writer.write(wire.error(Refusal("57P01", "terminating connection due to administrator command"), "FATAL"))
        finally:
            try:
                await connect.close(writer)
            finally:
                self._clients.discard(task)  # not before: a stop has to wait for the closing too

    async def _serve_client(self, reader: DirectReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(STARTUP_TIMEOUT_S):
            parameters = await self._startup(reader, writer)
            if parameters is None:
                return
            login = await self._log_in(reader, writer, parameters.get("user", ""))
        with self._work.workload.connections.one_more(parameters.get("application_name", "")):
            await self._run_session(reader, writer, parameters, login)

    # --- startup

    async def _startup(self, reader: DirectReader, writer: asyncio.StreamWriter) -> dict[str, str] | None:
        """The startup parameters, after TLS if the client asked for it; None for a cancel request."""
        while True:
            (size_bytes,) = struct.unpack("!I", await reader.readexactly(4))
            if not 8 <= size_bytes <= wire.STARTUP_SIZE_MAX_BYTES:
                raise ProtocolError("invalid length of startup packet")
            body = await reader.readexactly(size_bytes - 4)
            (code,) = struct.unpack_from("!I", body)
            if code == wire.SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(self._tls.context)
            elif code == wire.GSS_REQUEST:
                writer.write(b"N")
            elif code == wire.CANCEL_REQUEST:
                await self._cancel(body[4:])
                return None
            elif code == wire.PROTOCOL_3:
                return _pairs(body)
            else:
                raise Refusal("0A000", f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}")

    async def _log_in(self, reader: DirectReader, writer: asyncio.StreamWriter, name: str) -> Login:
        salt = secrets.token_bytes(4) if self._settings.authentication == "md5" else None
        method = connect.AUTH_CLEARTEXT if salt is None else connect.AUTH_MD5
        writer.write(wire.message(b"R", struct.pack("!I", method) + (salt or b"")))
        kind, body = await wire.read_message(reader)
        if kind != ord("p"):
            raise ProtocolError("expected password response")
        answer = Answer(name, body.rstrip(b"\x00"), salt)
        login = self._logins.of_gateway(answer)
        if login is None:
            login = await asyncio.to_thread(self._logins.find, answer)
        if 0 <= login.connections_max <= sum(one.user == login.user for one in self._sessions.values()):
            raise Refusal("53300", f'too many connections for user "{login.user}"')
        return login

    async def _run_session(
        self, reader: DirectReader, writer: asyncio.StreamWriter, parameters: dict[str, str], login: Login
    ) -> None:
        database = parameters.get("database", parameters["user"])
        if database != self._address.database:
            try:
                self._names.learn(await asyncio.to_thread(self._databases.prepare, database))
            except NoSuchDatabase:
                raise Refusal("3D000", f'database "{database}" does not exist') from None
        wanted = {name: value for name, value in parameters.items() if name in _BACKEND_PARAMETERS}
        wanted = dict(login.settings) | wanted | _SESSION_PARAMETERS
        opened = await connect.open_session(self._databases.address(database), wanted)
        if not login.is_gateways:
            opened = await connect.run(opened, act_as(login.user))
        (process_id,) = struct.unpack_from("!I", opened.key)
        if (niceness := self._settings.backend_niceness) is not None:
            prioritize(process_id, niceness)
        shown = opened.parameters | {"server_version": SERVER_VERSION} | DISCOVERY
        if asked := parameters.get("client_protocol_version"):
            protocol = min(int(asked) if is_number(asked) else 0, PROTOCOL_VERSION)
            shown["server_protocol_version"] = str(protocol)
        else:
            protocol = 0
        writer.write(wire.message(b"R", struct.pack("!I", connect.AUTH_OK)))
        writer.write(b"".join(wire.parameter_status(name, value) for name, value in shown.items()))
        writer.write(wire.message(b"K", opened.key) + wire.ready_for_query(b"I"))
        user = self._settings.user
        relay = Relay(
            self._log, as_redshift_error, self._names, opened.parameters.get("session_authorization", user),
            _HIDDEN_PARAMETERS, protocol,
        )  # fmt: skip
        backend = Backend(opened, user, relay)
        tolerant = self._settings.unknown_statements == "log"
        identity = Identity(process_id, login, database, protocol, tolerant)
        session = Session(identity, writer, backend, self._work, self._databases, self._log)
        self._sessions[opened.key] = session
        connected = ConnectionEvent(
            "initiating session", time.time(), process_id, database, parameters["user"],
            *_peer_and_tls(writer), parameters, protocol,
        )  # fmt: skip
        self._recorder.connection(connected)
        try:
            await _relay(session, reader, writer, backend, self._address, opened.key)
        finally:
            del self._sessions[opened.key]
            now_s = time.time()
            lasted_s = now_s - connected.at_s
            self._recorder.connection(
                replace(connected, event="disconnecting session", at_s=now_s, duration_s=lasted_s)
            )


def _peer_and_tls(writer: asyncio.StreamWriter) -> tuple[tuple[str, str], tuple[str, str]]:
    host, port, *_ = writer.get_extra_info("peername") or ("", "")
    cipher = writer.get_extra_info("cipher") or ("", "", 0)
    return (str(host), str(port)), (cipher[1] or "", cipher[0])


async def _relay(
    session: Session,
    reader: DirectReader,
    writer: asyncio.StreamWriter,
    backend: Backend,
    address: Address,
    key: bytes,
) -> None:
    """Run a session until the client leaves or the backend is lost; whatever it was doing is called off."""
    pump = asyncio.create_task(backend.pump(writer))
    client = asyncio.create_task(Inbox(session, reader, writer).handle_all())
    try:
        done, _ = await asyncio.wait((pump, client), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        try:
            if backend.queue.front and not pump.done():
                with contextlib.suppress(OSError):
                    await connect.cancel(address, key)
            for task in (pump, client):
                task.cancel()
            await asyncio.gather(pump, client, return_exceptions=True)
        finally:
            await backend.close()  # also when the gateway stops at this very moment


def _pairs(body: bytes) -> dict[str, str]:
    parameters, at = {}, 4
    while body[at : at + 1] not in (b"\x00", b""):
        name, at = wire.read_text(body, at)
        parameters[name], at = wire.read_text(body, at)
    if not parameters.get("user"):
        raise Refusal("28000", "no PostgreSQL user name specified in startup packet")
    return parameters


@contextmanager
def running(settings: Settings) -> Iterator[Listening]:
    """A gateway in a thread of its own for as long as the block lasts.

    Raises:
        psycopg2.Error, OSError: it could not start.
    """
    gateway, started = Gateway(settings), threading.Event()
    loop, failure = uvloop.new_event_loop(), []
    stop = asyncio.Event()

    def run() -> None:
        try:
            loop.run_until_complete(gateway.serve(started, stop))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            failure.append(error)
        finally:
            loop.close()
            started.set()

    thread = threading.Thread(target=run, name="redshift-gateway", daemon=True)
    thread.start()
    started.wait()
    if failure:
        thread.join()
        raise failure[0]
    try:
        yield gateway.listening
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join()
