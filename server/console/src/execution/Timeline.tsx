// Every attempt that has begun, and how long it took.

import type { ExecutionViewFragment } from '../generated/graphql';
import { amend } from '../route';
import { durationOf, Moment } from '../shell/Moment';
import { Status } from '../shell/Status';

export function Timeline({ execution }: { execution: ExecutionViewFragment }) {
  const lines = execution.steps
    .flatMap(({ stepId, name, attempts }) => attempts.map((attempt) => ({ ...attempt, stepId, name })))
    .filter(({ startedAt }) => startedAt)
    .sort((a, b) => (a.startedAt! < b.startedAt! ? -1 : 1));
  return (
    <section aria-labelledby="timeline-title">
      <h2 id="timeline-title">Timeline</h2>
      <div className="table" role="region" aria-labelledby="timeline-title" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Step</th>
              <th scope="col">Attempt</th>
              <th scope="col">Status</th>
              <th scope="col">Started</th>
              <th scope="col">Took</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.id}>
                <th scope="row">
                  <button type="button" className="link" onClick={() => amend({ step: line.stepId })}>
                    {line.name}
                  </button>
                </th>
                <td>{line.attempt}</td>
                <td>
                  <Status status={line.status} />
                  {line.isOverdue && <span className="overdue"> ⏰ overdue</span>}
                </td>
                <td>
                  <Moment at={line.startedAt} />
                </td>
                <td>{tookOf(line)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

type Attempt = ExecutionViewFragment['steps'][number]['attempts'][number];

function tookOf({ startedAt, completedAt, failedAt, disabledAt }: Attempt): string {
  const ended = completedAt ?? failedAt ?? disabledAt;
  return startedAt && ended ? durationOf(startedAt, ended) : '–';
}
