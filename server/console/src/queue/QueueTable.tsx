// Steps that wait, one a row.

import { ClaimButton } from '../claims/ClaimButton';
import { Claimant } from '../claims/Claimant';
import type { QueueFieldsFragment } from '../generated/graphql';
import { typeName } from '../graph/StepNode';
import { href } from '../route';
import { Moment } from '../shell/Moment';

export function QueueTable({ steps }: { steps: QueueFieldsFragment[] }) {
  if (steps.length === 0) return <p className="empty">Nothing waits.</p>;
  return (
    <div className="table" role="region" aria-label="Work" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Execution</th>
            <th scope="col">Type</th>
            <th scope="col">Waits since</th>
            <th scope="col">Due</th>
            <th scope="col">Claimed by</th>
            <th scope="col">Take it</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <tr key={step.id}>
              <th scope="row">
                <a href={href(['executions', step.workflowExecution.id], { step: step.stepId })}>{step.name}</a>
              </th>
              <td>{step.workflowExecution.name}</td>
              <td>{typeName(step.type)}</td>
              <td>
                <Moment at={step.startedAt} />
              </td>
              <td>
                <Moment at={step.dueAt} />
                {step.isOverdue && <span className="overdue"> ⚠ overdue</span>}
              </td>
              <td>
                <Claimant step={step} />
              </td>
              <td>{!step.claim && <ClaimButton step={step} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
