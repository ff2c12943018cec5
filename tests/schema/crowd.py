"""Many rows of every table on PostgreSQL, whose planner goes by how many there are; what is in them does not matter.

Each is a copy of a row that commands wrote, under an id of its own: trees of twenty executions, ten steps to a version.
"""

import asyncpg

from tests.api import Api
from tests.schema.tree_samples import CHECK, children_step, sequence, started

EXECUTIONS, VERSIONS = 2_000, 200
OLDEST, HOURS = "2024-01-01T00:00:00Z", 1_009

_ROOT = "(n - (n - 1) % 20)"
_CREATED = f"'created_at', timestamptz '{OLDEST}' + n * 37 % {HOURS} * interval '1 hour'"
_NAMED = "'name', 'name-' || n, 'correlation_id', 'correlation-' || n"
# Table, what makes each row's number `n` (and `k`), and what of the copy is its own.
_COPIES = (
    (
        "workflow_template",
        f"generate_series(1, {VERSIONS}) n",
        f"'id', 'tmpl_' || n || t, 'key', 'key-' || n, 'active_version_id', 'tver_' || n || t, {_CREATED}",
    ),
    (
        "workflow_template_version",
        f"generate_series(1, {VERSIONS}) n",
        "'id', 'tver_' || n || t, 'template_id', 'tmpl_' || (1 + n / 100) || t, 'version', n || '.0.0',"
        f" {_CREATED}",
    ),
    (
        "step_definition",
        f"generate_series(1, {VERSIONS}) n, generate_series(1, 10) k",
        "'version_id', 'tver_' || n || t, 'step_id', 's' || k, 'position', k, 'group_id', 'g' || k % 5,"
        " 'group_position', k, 'child_template_key', 'key-' || k",
    ),
    (
        "step_transition",
        f"generate_series(1, {VERSIONS}) n, generate_series(1, 10) k",
        "'version_id', 'tver_' || n || t, 'transition_id', 't' || k, 'position', k,"
        " 'from_step_id', 's' || k, 'to_step_id', 's' || (k + 1)",
    ),
    (
        "step_group",
        f"generate_series(1, {VERSIONS}) n, generate_series(1, 5) k",
        "'version_id', 'tver_' || n || t, 'group_id', 'g' || k, 'position', k",
    ),
    (
        "workflow_execution",
        f"generate_series(1, {EXECUTIONS}) n where (n - 1) % 20 = 0",
        f"'id', 'exec_' || n || t, 'root_id', 'exec_' || n || t, 'path', 'exec_' || n || t || '/',"
        f" 'version_id', 'tver_' || (1 + n % {VERSIONS}) || t, {_NAMED}, {_CREATED}",
    ),
    (
        "workflow_execution",
        f"generate_series(1, {EXECUTIONS}) n where (n - 1) % 20 > 0",
        f"'id', 'exec_' || n || t, 'root_id', 'exec_' || {_ROOT} || t, 'parent_id', 'exec_' || {_ROOT} || t,"
        f" 'path', 'exec_' || {_ROOT} || t || '/exec_' || n || t || '/', 'child_index', n % 20,"
        f" 'tree_revision', null, 'tree_changed_at', null, 'tree_size', null,"
        f" 'version_id', 'tver_' || (1 + n % {VERSIONS}) || t, {_NAMED}, {_CREATED}",
    ),
    (
        "step_execution",
        f"generate_series(1, {EXECUTIONS}) n, generate_series(1, 4) k",
        f"'id', 'step_' || n || '_' || k || t, 'root_id', 'exec_' || {_ROOT} || t,"
        f" 'execution_id', 'exec_' || n || t, 'step_id', 's' || k / 2, 'position', k / 2,"
        f" 'attempt', k, 'is_current', k % 2 = 1, 'version_id', 'tver_' || (1 + n % {VERSIONS}) || t",
    ),
    (
        "step_child",
        f"generate_series(1, {EXECUTIONS}) n where (n - 1) % 20 > 0",
        f"'step_execution_id', 'step_' || {_ROOT} || '_' || (1 + n % 4) || t, 'child_index', n % 20,"
        f" 'child_id', 'exec_' || n || t",
    ),
    (
        "journal",
        f"generate_series(1, {EXECUTIONS}) n",
        f"'position', nextval('journal_position_seq'), 'root_id', 'exec_' || {_ROOT} || t,"
        f" 'revision', 1000 + n % 20, 'execution_id', 'exec_' || n || t,"
        f" 'step_execution_id', 'step_' || n || '_1' || t",
    ),
)
_PARENT = sequence("parent", children_step(group={"groupId": "g", "order": 1})) | {
    "stepGroups": [{"id": "g", "name": "G", "stepIds": ["run"]}]
}


async def add_crowd(api: Api, connection: asyncpg.Connection) -> None:
    """Fill every table with rows of this tenant, and let the planner know."""
    await started(api, sequence("child", CHECK), _PARENT)
    tenant = api.context.tenant
    for table, numbers, own in _COPIES:
        root = " and parent_id is null" if table == "workflow_execution" else ""
        await connection.execute(
            f"insert into {table} select (jsonb_populate_record(s.r, jsonb_build_object({own}))).*"
            f" from (select r from {table} r where tenant = '{tenant}'{root} limit 1) s(r),"
            f" (select '-{tenant}' as t) t, {numbers}"
        )
    await connection.execute("analyze")
