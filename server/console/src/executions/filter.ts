// Which executions are listed: the address of the list, and the filter of the API that it stands for.

import type { WorkflowExecutionWhere, WorkflowRuntimeStatus } from '../generated/graphql';

export const STATUSES: WorkflowRuntimeStatus[] = ['NOT_STARTED', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELLED'];

export function whereOf(search: URLSearchParams): WorkflowExecutionWhere {
  const where: WorkflowExecutionWhere = {};
  const status = STATUSES.find((each) => each === search.get('status'));
  const since = Date.parse(search.get('since') ?? '');
  if (status) where.runtimeStatus = { eq: status };
  if (search.get('template')) where.workflowTemplateKey = { eq: search.get('template')! };
  if (search.get('name')) where.name = { contains: search.get('name')! };
  if (!Number.isNaN(since)) where.createdAt = { gte: new Date(since).toISOString() };
  if (!search.has('children')) where.isRoot = true;
  return where;
}
