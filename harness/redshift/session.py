"""One client's session: its messages in order, each relayed, rewritten, run by the gateway or refused.

In: the client's protocol messages. Out: messages for the backend. A statement that writes to a table takes the table's
write lock first, before the transaction has a snapshot, in the client's own transaction; where the client has none the
gateway opens one for the statement and ends it with it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from harness.redshift import long_names, origins
from harness.redshift import messages as wire
from harness.redshift.authorization import of_login
from harness.redshift.backend import Backend
from harness.redshift.cancelling import Cancellable
from harness.redshift.copy.work import S3Work
from harness.redshift.elsewhere import Databases
from harness.redshift.exchanges import BackendError, Exchange, Skipped
from harness.redshift.identity import Identity
from harness.redshift.locks import LOCK
from harness.redshift.messages import ProtocolError, Refusal
from harness.redshift.plan import Plan
from harness.redshift.planning import plan_at_once, plan_parsed, plan_query, resolved
from harness.redshift.querylog import QueryLog, Record
from harness.redshift.shapes import Shapes
from harness.redshift.turns import LOST, Turns

_logger = logging.getLogger(__name__)


class Session:
    """Carries one client's messages to one backend."""

    def __init__(
        self,
        identity: Identity,
        client: asyncio.StreamWriter,
        backend: Backend,
        work: S3Work,
        databases: Databases,
        log: QueryLog,
    ) -> None:
        self._identity, self._client, self._backend, self._work, self._log = identity, client, backend, work, log
        self._databases = databases
        self._statements: dict[str, Plan] = {}
        self._portals: dict[str, Plan] = {}
        self._shapes = Shapes()
        self._own_transaction = False  # the gateway opened it for a single statement
        self._in_transaction = False  # the client's, as far as its messages were sent
        self._own_work = Cancellable()
        self._turns = Turns(backend, work.workload, log, self._own_work)
        self._transaction_id = 0
        self._handlers: dict[int, Callable[[bytes], Awaitable[None]]] = {
            ord("Q"): self._on_query,
            ord("P"): self._on_parse,
            ord("B"): self._on_bind,
            ord("E"): self._on_execute,
            ord("D"): self._on_describe,
            ord("C"): self._on_close,
            ord("S"): self._on_sync,
            ord("H"): self._on_flush,
            ord("F"): self._on_function_call,
        }

    @property
    def user(self) -> str:
        return self._identity.login.user

    def relay_at_once(self, kind: int, body: bytes) -> bool:
        """Send on a query for which nothing has to be waited for, and that all before it are over with; whether that
        was done.

        Raises:
            ProtocolError: it is malformed.
        """
        if kind != ord("Q") or self._backend.queue.front or self._own_transaction:
            return False
        plan = plan_at_once(self._backend.names, wire.read_text(body)[0])
        plan = plan and of_login(plan, self._identity.login)
        if plan is None or plan.reads_history or plan.transaction or not self._relays(plan):
            return False
        self._relay(plan)
        return True

    async def handle(self, kind: int, body: bytes) -> None:
        """Carry out one message.

        Raises:
            ProtocolError: it is malformed or does not belong here.
        """
        if kind in b"dcfp":
            return  # left over from a COPY that failed, as PostgreSQL ignores it
        if self._backend.queue.failed_until_sync and kind not in b"SQ":
            return
        await self._handlers[kind](body)

    # --- simple protocol

    async def _on_query(self, body: bytes) -> None:
        sql, _ = wire.read_text(body)
        plans = [of_login(plan, self._identity.login) for plan in await plan_query(self._backend, sql)]
        if not plans:
            self._backend.send(wire.query(""), Exchange("Q"))
            return
        await self._backend.drained()
        for plan in plans:
            await self._show_history(plan)
        if len(plans) == 1 and self._relays(plans[0]):
            plan = plans[0]
            await self._turns.hold_commit(plan)
            self._track(plan)
            self._relay(plan)
            if plan.transaction:
                await self._backend.drained()
                self._in_transaction = self._backend.status != "I"
            return
        await self._run_script(plans)

    def _relays(self, plan: Plan) -> bool:
        return plan.is_plain and not self._turns.queues(plan)

    def _relay(self, plan: Plan) -> None:
        self._backend.send(wire.query(plan.sql), Exchange("Q", record=self._begin_record(plan)))

    async def _run_script(self, plans: list[Plan]) -> None:
        """Several statements of one message are one transaction, unless they say otherwise."""
        if len(plans) > 1 and not any(plan.outside_transaction for plan in plans):
            await self._open_own_transaction()
        for plan in plans:
            status = await self._run_simple(plan)
            if status is None or status == "E":
                break
        await self._end_simple()

    async def _open_own_transaction(self) -> None:
        if self._backend.status == "I":
            await self._backend.simple("BEGIN", Exchange("Q", hide_tags_before=1, hide_ready=True))
            self._own_transaction = True

    async def _run_simple(self, plan: Plan) -> str | None:
        """Run one statement of a simple query; the transaction status, None if the gateway refused it."""
        self._in_transaction = self._backend.status != "I" and not self._own_transaction
        record = self._begin_record(plan)
        plan = self._allowed(plan)
        if plan.refusal or plan.is_special:
            return await self._run_special_simple(plan, record)
        if plan.aliases and self._backend.status != "E":
            await self._take_locks(plan)
            try:
                plan = await resolved(self._backend, plan)
            except BackendError as error:
                self._client.write(wire.message(b"E", self._backend.filter_error(error.body)))
                self._log.end(record, error=error.fields.get("M"))
                await self._backend.sync(hide_ready=True)
                return None
            await self._backend.sync(hide_ready=True)
        prefix = [LOCK.format(table) for table in plan.locks] + await self._databases.shown(
            plan.listed, self._identity.database
        )
        self._turns.wrote = self._turns.wrote or bool(plan.locks)
        await self._turns.hold_commit(plan)
        if self._turns.queues(plan) or (plan.locks and self._backend.acts_as):
            prefix = []
            await self._take_locks(plan)
            if not await self._locked(record) or not await self._queue(plan, record):
                await self._backend.sync(hide_ready=True)
                return None
        if plan.transaction:
            self._own_transaction = False
        elif prefix and self._backend.status == "I":
            prefix.insert(0, "BEGIN")
            self._own_transaction = True
        exchange = Exchange(
            "Q", hide_tags_before=len(prefix), hide_tags_after=len(prefix) + 1 if plan.after else None,
            hide_ready=True, record=record,
        )  # fmt: skip
        status = await self._backend.simple("; ".join((*prefix, plan.sql, *plan.after)), exchange)
        return "E" if exchange.failed else status

    async def _run_special_simple(self, plan: Plan, record: Record) -> str | None:
        await self._turns.hold_copy(plan)
        await self._take_locks(plan)
        succeeded = await self._queue(plan, record) and await self._run_special_locked(plan, record)
        status = await self._backend.sync(hide_ready=True)
        return status if succeeded else None

    async def _end_simple(self) -> None:
        if self._own_transaction and self._backend.status != "I":
            ending = "COMMIT" if self._backend.status == "T" else "ROLLBACK"
            if ending == "COMMIT":
                await self._turns.hold_own_commit()
            await self._backend.simple(ending, Exchange("Q", hide_tags_before=1, hide_ready=True))
        self._own_transaction = False
        self._in_transaction = self._backend.status != "I"
        self._turns.wrote = self._turns.wrote and self._in_transaction
        self._client.write(wire.ready_for_query(self._backend.status.encode()))

    # --- extended protocol

    async def _on_parse(self, body: bytes) -> None:
        name, at = wire.read_text(body)
        sql, at = wire.read_text(body, at)
        types = self._shapes.parse(name, body[at:])
        plans = [of_login(plan, self._identity.login) for plan in await plan_parsed(self._backend, sql)]
        if len(plans) != 1:
            self._statements.pop(name, None)
            self._backend.send(wire.message(b"P", body[:at] + types), Exchange("P"))
            return
        plan = self._allowed(plans[0])
        if plan.refusal:
            record = self._begin_record(plan)
            self._refuse(plan.refusal, record)
            return
        self._statements[name] = plan
        await self._show_history(plan)
        await self._turns.hold_copy(plan)
        if self._in_transaction:
            await self._take_locks(plan)  # planning already takes the transaction's snapshot
        if plan.aliases:
            try:
                plan = self._statements[name] = await resolved(self._backend, plan)
            except BackendError as error:
                self._client.write(wire.message(b"E", self._backend.filter_error(error.body)))
                return
            except Skipped:
                return
        types = b"\x00\x00" if plan.is_special else types
        self._backend.send(wire.message(b"P", wire.text(name) + wire.text(plan.sql) + types), Exchange("P"))

    async def _on_bind(self, body: bytes) -> None:
        portal, at = wire.read_text(body)
        name, _ = wire.read_text(body, at)
        body = self._shapes.bind(portal, name, body)
        plan = self._statements.get(name)
        if plan:
            if plan.listed:
                body = wire.without_nul(body)
                plan = replace(plan, listed=plan.listed.bound(wire.bound_values(body)))
            self._portals[portal] = plan
            await self._show_history(plan)
            await self._take_locks(plan)
        else:
            self._portals.pop(portal, None)
        self._backend.send(wire.message(b"B", body), Exchange("B"))

    async def _take_locks(self, plan: Plan) -> None:
        if not plan.locks:
            return
        if not self._in_transaction and not self._own_transaction:
            self._own_transaction = True
            self._backend.send_hidden("BEGIN")
        self._turns.wrote = True
        await self._turns.locks.ask(plan.locks)

    async def _on_execute(self, body: bytes) -> None:
        portal, _ = wire.read_text(body)
        plan = self._portals.get(portal)
        if plan is None:
            self._backend.send(wire.message(b"E", body), Exchange("E", shape=self._shapes.of_portal(portal)))
            return
        record = self._begin_record(plan)
        if not await self._queue(plan, record):
            return
        await self._turns.hold_commit(plan)
        if plan.is_special:
            await self._run_special_locked(plan, record)
            return
        self._track(plan)
        self._backend.send_hidden(*await self._databases.shown(plan.listed, self._identity.database))
        self._backend.send(wire.message(b"E", body), Exchange("E", record=record, shape=self._shapes.of_portal(portal)))
        self._backend.send_hidden(*plan.after)

    async def _on_describe(self, body: bytes) -> None:
        shape = self._shapes.of(body)
        if self._identity.protocol:
            self._client.write(await origins.describe(self._backend, body, shape, self._described_sql(body)))
        else:
            self._backend.send(wire.message(b"D", body), Exchange("D", shape=shape))

    def _described_sql(self, body: bytes) -> str | None:
        """What PostgreSQL got for the statement or portal of a Describe."""
        name, _ = wire.read_text(body, 1)
        plan = (self._statements if body[:1] == b"S" else self._portals).get(name)
        return plan.sql if plan else None

    async def _on_close(self, body: bytes) -> None:
        name, _ = wire.read_text(body, 1)
        (self._statements if body[:1] == b"S" else self._portals).pop(name, None)
        self._shapes.close(body)
        self._backend.send(wire.message(b"C", body), Exchange("C"))

    async def _on_flush(self, _body: bytes) -> None:
        self._backend.send(wire.FLUSH)

    async def _on_function_call(self, _body: bytes) -> None:
        raise ProtocolError("function calls by message are not supported")

    async def _on_sync(self, _body: bytes) -> None:
        if not self._own_transaction:
            self._backend.send(wire.SYNC, Exchange("S"))
            if not self._in_transaction:
                return
            await self._turns.locks.held()
            self._in_transaction = self._backend.status != "I"
            return
        if not self._backend.queue.failed_until_sync:
            await self._turns.locks.held()
        if not self._backend.queue.failed_until_sync:
            await self._turns.hold_own_commit()
            self._backend.send_hidden("COMMIT")
        await self._backend.sync(hide_ready=True)
        await self._end_simple()

    # --- both

    def _allowed(self, plan: Plan) -> Plan:
        """The plan with what this session, its transaction and its gateway's settings make of it."""
        self._client.write(long_names.notices(plan.cut_names))
        plan = plan.allowed_in(self._identity.database, in_transaction=self._in_transaction)
        if not (plan.unknown and self._identity.tolerant and plan.refusal):
            return plan
        _logger.warning("%s: %s", plan.warning, plan.source)
        self._client.write(wire.notice("WARNING", "01000", plan.warning))
        return replace(plan, refusal=None)

    async def _queue(self, plan: Plan, record: Record) -> bool:
        """Wait for a slot, if the statement needs one; False if it is not to run, which the client then knows."""
        try:
            return await self._turns.wait(plan, record)
        except Refusal as refusal:
            self._refuse(refusal, record)
            return False

    async def _show_history(self, plan: Plan) -> None:
        if plan.reads_history:
            await self._work.recorder.flush()

    def _track(self, plan: Plan) -> None:
        if plan.transaction == "begin":
            self._in_transaction = True
            self._own_transaction = False
        elif plan.transaction == "end":
            self._in_transaction = self._own_transaction = False

    async def _run_special_locked(self, plan: Plan, record: Record) -> bool:
        """Run it once it has its locks: a COPY that waited reads what its prefix holds when it goes on."""
        return await self._locked(record) and await self._run_special(plan, record)

    async def _locked(self, record: Record) -> bool:
        """Wait for the locks that were asked for; False if they cannot be had, which the client then knows."""
        await self._turns.locks.held()
        record.lock_wait_s = self._turns.locks.waited_s()
        if self._backend.queue.failed_until_sync:
            self._log.end(record, error="its lock could not be had")
            return False
        return True

    async def _run_special(self, plan: Plan, record: Record) -> bool:
        """Run what the gateway does itself; whether it succeeded. An error was already told to the client."""
        try:
            if plan.refusal:
                raise plan.refusal
            done = await self._own_work.run(self._work.run(plan, self._backend, record))
        except Refusal as refusal:
            self._refuse(refusal, record)
        except BackendError as error:
            self._log.end(record, error=error.fields.get("M"))
            self._client.write(wire.message(b"E", self._backend.filter_error(error.body)))
        except Skipped:
            self._log.end(record, error="skipped")
        except asyncio.CancelledError:
            self._log.end(record, error=LOST)
            raise
        else:
            self._log.end(record, done.rows, done.size_bytes)
            self._client.write(done.client_messages)
            return True
        return False

    def cancel(self) -> None:
        """The client asked to cancel what the session does; PostgreSQL is told elsewhere."""
        self._own_work.cancel()

    def _refuse(self, refusal: Refusal, record: Record) -> None:
        """Tell the client an error; raised in the backend, so that its transaction is what PostgreSQL says."""
        if self._backend.queue.failed_until_sync:
            self._log.end(record, error=refusal.message)
            self._client.write(wire.error(refusal))
            return
        self._backend.refuse(refusal, record)

    def _begin_record(self, plan: Plan) -> Record:
        if not self._in_transaction:
            self._transaction_id += 1
        who, number = self._identity, self._transaction_id
        record = self._log.begin(who.process_id, who.login.user, who.database, plan.kind, plan.source, number)
        record.table = plan.filled
        return record
