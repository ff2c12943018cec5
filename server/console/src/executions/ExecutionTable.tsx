// Executions, one a row.

import type { ExecutionListQuery, WatchExecutionsSubscription } from '../generated/graphql';
import { href } from '../route';
import { Moment } from '../shell/Moment';
import { doneOf } from '../shell/progress';
import { Status } from '../shell/Status';

export type ExecutionRow =
  | ExecutionListQuery['workflowExecutions']['nodes'][number]
  | NonNullable<WatchExecutionsSubscription['workflowExecutions']['entries'][number]['workflowExecution']>;

export function ExecutionTable({ rows }: { rows: ExecutionRow[] }) {
  if (rows.length === 0) return <p className="empty">There is none.</p>;
  return (
    <div className="table" role="region" aria-label="Executions" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Status</th>
            <th scope="col">Steps done</th>
            <th scope="col">Template</th>
            <th scope="col">Created</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row">
                <a href={href(['executions', row.id])}>{row.name}</a>
              </th>
              <td>
                <Status status={row.runtimeStatus} />
              </td>
              <td>
                {doneOf(row.progress)} of {row.progress.total}
              </td>
              <td>
                {row.workflowTemplateVersion.workflowTemplate.name} {row.workflowTemplateVersion.version}
              </td>
              <td>
                <Moment at={row.createdAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
