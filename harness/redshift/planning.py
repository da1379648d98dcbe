"""The plans of a client's text, for which the backend may have to be asked: how names are spelt, what a PIVOT rotates.

In: SQL text and the session's backend. Out: one `Plan` a statement. What never depends on a session is in `statements`.
"""

from functools import lru_cache

from harness.redshift import pivot_sources, spelling
from harness.redshift.backend import Backend, Statement
from harness.redshift.long_names import LongNames
from harness.redshift.plan import Plan
from harness.redshift.statements import CACHED_SQL_MAX_CHARACTERS, PLANS_MAX, plan_script, resolve_aliases

_FIND_UNDEFINED = "SELECT redshift_internal.undefined_column($1)"


def _needs_backend(sql: str) -> bool:
    return spelling.matters(sql) or pivot_sources.rotates(sql)


def plan_at_once(names: LongNames, sql: str) -> Plan | None:
    """The plan of a text of one statement for which the backend need not be asked; None if there is none such."""
    plan = _at_once(sql) if len(sql) <= CACHED_SQL_MAX_CHARACTERS else None
    if plan and plan.names:
        names.learn(plan.names)
    return plan


@lru_cache(maxsize=PLANS_MAX)
def _at_once(sql: str) -> Plan | None:
    plans = [] if _needs_backend(sql) else plan_script(sql, keeps_capitals=False)
    return plans[0] if len(plans) == 1 else None


async def plan_query(backend: Backend, sql: str) -> list[Plan]:
    """The plans of a simple query; what was asked is over with, so that it is in no transaction of the query's."""
    plans = await plan_parsed(backend, sql)
    if _needs_backend(sql):
        await backend.sync(hide_ready=True)
    return plans


async def plan_parsed(backend: Backend, sql: str) -> list[Plan]:
    """The plans of a Parse message's text, asked for in the client's pipeline."""
    keeps_capitals = spelling.matters(sql) and await spelling.keeps_capitals(backend)
    if pivot_sources.rotates(sql):
        sql = await pivot_sources.with_columns(backend, sql, keeps_capitals=keeps_capitals)
    plans = plan_script(sql, keeps_capitals=keeps_capitals)
    for plan in plans:
        backend.names.learn(plan.names)
    return plans


async def resolved(backend: Backend, plan: Plan) -> Plan:
    """The plan with its lateral aliases replaced, except those that are columns: the backend says which.

    Raises:
        BackendError, Skipped: the transaction had failed before.
    """
    names: frozenset[str] = frozenset()
    found = plan
    while True:
        ((missing,),) = await backend.run(Statement(_FIND_UNDEFINED, (found.query,)))
        if missing is None or missing in names or missing not in plan.aliases:
            return found
        names |= {missing}
        found = resolve_aliases(plan, names)
