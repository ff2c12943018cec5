// Every attempt that has begun, and how long it took.

import { memo, useMemo, useState } from 'react';
import type { ExecutionViewFragment } from '../generated/graphql';
import { amend } from '../route';
import { durationOf, Moment } from '../shell/Moment';
import { Status } from '../shell/Status';

type Step = ExecutionViewFragment['steps'][number];
type Attempt = Step['attempts'][number];

const PAGE = 50;

export const Timeline = memo(function Timeline({ steps }: { steps: Step[] }) {
  const [count, setCount] = useState(PAGE);
  const begun = useMemo(() => begunOf(steps), [steps]);
  return (
    <section aria-labelledby="timeline-title" className="history">
      <h2 id="timeline-title">Timeline</h2>
      {begun.length > count && (
        <button type="button" onClick={() => setCount(count + PAGE)}>
          Earlier attempts
        </button>
      )}
      <div className="table timeline" role="region" aria-labelledby="timeline-title" tabIndex={0}>
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
            {begun.slice(-count).map(({ step, attempt }) => (
              <Row key={attempt.id} stepId={step.stepId} name={step.name} attempt={attempt} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
});

/** The attempts that have begun, each with its step, by the moment at which it did. */
function begunOf(steps: Step[]): { step: Step; attempt: Attempt }[] {
  return steps
    .flatMap((step) => step.attempts.map((attempt) => ({ step, attempt })))
    .filter(({ attempt }) => attempt.startedAt)
    .sort((a, b) => (a.attempt.startedAt! < b.attempt.startedAt! ? -1 : 1));
}

interface RowProps {
  stepId: string;
  name: string;
  attempt: Attempt;
}

const Row = memo(function Row({ stepId, name, attempt }: RowProps) {
  return (
    <tr>
      <th scope="row">
        <button type="button" className="link" onClick={() => amend({ step: stepId })}>
          {name}
        </button>
      </th>
      <td>{attempt.attempt}</td>
      <td>
        <Status status={attempt.status} />
        {attempt.isOverdue && <span className="overdue"> ⚠ overdue</span>}
      </td>
      <td>
        <Moment at={attempt.startedAt} />
      </td>
      <td>{tookOf(attempt)}</td>
    </tr>
  );
});

function tookOf({ startedAt, completedAt, failedAt, disabledAt }: Attempt): string {
  const ended = completedAt ?? failedAt ?? disabledAt;
  return startedAt && ended ? durationOf(startedAt, ended) : '–';
}
