"""The read without GraphQL: a Starlette route over hand-written JSON SQL, on asyncpg's pool or on aiosqlite.

It knows what the projection knows (tenant, current attempts, names of enums, moments in UTC) and nothing else.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import aiosqlite
import asyncpg
from sqlalchemy.engine import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.tables import DEFAULT_TENANT

Fetch = Callable[..., Awaitable[str | None]]

_STATUS = """case {column}
  when 'NotStarted' then 'NOT_STARTED' when 'InProgress' then 'IN_PROGRESS' when 'Completed' then 'COMPLETED'
  when 'Failed' then 'FAILED' when 'Cancelled' then 'CANCELLED' when 'Disabled' then 'DISABLED' end"""
_EXECUTION_STATUS = _STATUS.format(column="e.runtime_status")
_STEP_STATUS = _STATUS.format(column="s.status")
_TYPE = "upper(replace(replace(s.type, '.', '_'), '-', '_'))"


def _utc(column: str) -> str:
    return f"to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"


_POSTGRESQL_STEPS = f"""(
  select coalesce(json_agg(row_to_json(o.*)), '[]'::json) from (
    select s.id, s.step_id as "stepId", {_TYPE} as type, s.name, {_STEP_STATUS} as status, s.attempt,
      {_utc("s.created_at")} as "createdAt", {_utc("s.started_at")} as "startedAt",
      {_utc("s.completed_at")} as "completedAt", s.output_data as "outputData"
    from step_execution s where s.execution_id = e.id and s.is_current order by s.position
  ) o
)"""
_POSTGRESQL_FIELDS = f"""e.id, e.name, e.correlation_id as "correlationId", {_EXECUTION_STATUS} as "runtimeStatus",
  {_utc("e.created_at")} as "createdAt", {_utc("e.started_at")} as "startedAt", e.revision, e.context,
  {_POSTGRESQL_STEPS} as steps"""
_POSTGRESQL_CHILDREN = f"""(
  select json_build_object('nodes', coalesce(json_agg(row_to_json(o.*)), '[]'::json)) from (
    select {_POSTGRESQL_FIELDS}
    from workflow_execution e where e.tenant = $2 and e.parent_id = parent.id order by e.child_index, e.id
  ) o
) as "childWorkflowExecutions" """

_SQLITE_STEPS = f"""(
  select json_group_array(json(o.step)) from (
    select json_object('id', s.id, 'stepId', s.step_id, 'type', {_TYPE}, 'name', s.name, 'status', {_STEP_STATUS},
      'attempt', s.attempt, 'createdAt', s.created_at, 'startedAt', s.started_at, 'completedAt', s.completed_at,
      'outputData', json(s.output_data)) as step
    from step_execution s where s.execution_id = e.id and s.is_current order by s.position
  ) o
)"""
_SQLITE_FIELDS = f"""'id', e.id, 'name', e.name, 'correlationId', e.correlation_id, 'runtimeStatus', {_EXECUTION_STATUS},
  'createdAt', e.created_at, 'startedAt', e.started_at, 'revision', e.revision, 'context', json(e.context),
  'steps', {_SQLITE_STEPS}"""
_SQLITE_CHILDREN = f"""'childWorkflowExecutions', (
  select json_object('nodes', json_group_array(json(o.child))) from (
    select json_object({_SQLITE_FIELDS}) as child
    from workflow_execution e where e.tenant = ?2 and e.parent_id = parent.id order by e.child_index, e.id
  ) o
)"""

_POSTGRESQL_LIST = f"""select json_build_object('nodes', coalesce(json_agg(row_to_json(o.*)), '[]'::json))::text from (
  select e.id, e.name, e.correlation_id as "correlationId", e.version_id as "workflowTemplateVersionId",
    {_EXECUTION_STATUS} as "runtimeStatus", {_utc("e.created_at")} as "createdAt", {_utc("e.started_at")} as "startedAt",
    {_utc("e.completed_at")} as "completedAt", {_utc("e.last_activity_at")} as "lastActivityAt", e.revision
  from workflow_execution e where e.tenant = $1 order by e.created_at desc, e.id desc limit 50
) o"""
_SQLITE_LIST = f"""select json_object('nodes', json_group_array(json(o.execution))) from (
  select json_object('id', e.id, 'name', e.name, 'correlationId', e.correlation_id,
    'workflowTemplateVersionId', e.version_id, 'runtimeStatus', {_EXECUTION_STATUS}, 'createdAt', e.created_at,
    'startedAt', e.started_at, 'completedAt', e.completed_at, 'lastActivityAt', e.last_activity_at,
    'revision', e.revision) as execution
  from workflow_execution e where e.tenant = ?1 order by e.created_at desc, e.id desc limit 50
) o"""


def postgresql_text(*, children: bool) -> str:
    """The statement for an execution (`$1`) of a tenant (`$2`)."""
    more = f", {_POSTGRESQL_CHILDREN.replace('parent.id', '$1')}" if children else ""
    row = f"select {_POSTGRESQL_FIELDS}{more} from workflow_execution e where e.id = $1 and e.tenant = $2"
    return f"select row_to_json(r.*)::text from ({row}) r"


def sqlite_text(*, children: bool) -> str:
    """The same for SQLite."""
    more = f", {_SQLITE_CHILDREN.replace('parent.id', '?1')}" if children else ""
    return f"select json_object({_SQLITE_FIELDS}{more}) from workflow_execution e where e.id = ?1 and e.tenant = ?2"


# By path: the root field and the statement.
Answers = Mapping[str, tuple[str, str]]

POSTGRESQL: Answers = {
    "/executions/{id}": ("workflowExecution", postgresql_text(children=False)),
    "/trees/{id}": ("workflowExecution", postgresql_text(children=True)),
    "/executions": ("workflowExecutions", _POSTGRESQL_LIST),
}
SQLITE: Answers = {
    "/executions/{id}": ("workflowExecution", sqlite_text(children=False)),
    "/trees/{id}": ("workflowExecution", sqlite_text(children=True)),
    "/executions": ("workflowExecutions", _SQLITE_LIST),
}


def _app(fetch: Fetch, answers: Answers) -> Starlette:
    return Starlette(routes=[_route(fetch, path, *answer) for path, answer in answers.items()])


def _route(fetch: Fetch, path: str, key: str, text: str) -> Route:
    async def answer(request: Request) -> Response:
        found = await fetch(text, *request.path_params.values(), DEFAULT_TENANT)
        return Response(f'{{"data":{{"{key}":{found or "null"}}}}}', media_type="application/json")

    return Route(path, answer)


@asynccontextmanager
async def application(url: str) -> AsyncIterator[Starlette]:
    """The application on a database."""
    serve = _on_sqlite if url.startswith("sqlite") else _on_postgresql
    async with serve(url) as app:
        yield app


@asynccontextmanager
async def _on_postgresql(url: str) -> AsyncIterator[Starlette]:
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=10, server_settings={"jit": "off"}) as pool:

        async def fetch(text: str, *arguments: str) -> str | None:
            found: str | None = await pool.fetchval(text, *arguments)
            return found

        yield _app(fetch, POSTGRESQL)


@asynccontextmanager
async def _on_sqlite(url: str) -> AsyncIterator[Starlette]:
    idle: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
    for _ in range(4):
        idle.put_nowait(await aiosqlite.connect(make_url(url).database or "", isolation_level=None))

    async def fetch(text: str, *arguments: str) -> str | None:
        connection = await idle.get()
        try:
            found = list(await connection.execute_fetchall(text, arguments))
        finally:
            idle.put_nowait(connection)
        return found[0][0] if found else None

    try:
        yield _app(fetch, SQLITE)
    finally:
        while not idle.empty():
            await idle.get_nowait().close()
