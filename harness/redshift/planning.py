"""The plans of a client's text, for which the backend may have to be asked: how names are spelt, what a PIVOT rotates.

In: SQL text and the session's backend. Out: one `Plan` a statement. What never depends on a session is in `statements`.
"""

from harness.redshift import pivot_sources, spelling
from harness.redshift.backend import Backend
from harness.redshift.plan import Plan
from harness.redshift.statements import plan_script


async def plan_query(backend: Backend, sql: str) -> list[Plan]:
    """The plans of a simple query; what was asked is over with, so that it is in no transaction of the query's."""
    plans = await plan_parsed(backend, sql)
    if spelling.matters(sql) or pivot_sources.rotates(sql):
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
