// A status in words and as a sign, so that nobody has to tell colours apart.

import type { WorkflowRuntimeStatus, WorkflowRuntimeStepStatus, WorkflowTemplateVersionStatus } from '../generated/graphql';

export type AnyStatus = WorkflowRuntimeStatus | WorkflowRuntimeStepStatus | WorkflowTemplateVersionStatus;

const SIGNS: Record<AnyStatus, [sign: string, words: string]> = {
  NOT_STARTED: ['○', 'Not started'],
  IN_PROGRESS: ['▶', 'In progress'],
  COMPLETED: ['✓', 'Completed'],
  FAILED: ['✕', 'Failed'],
  DISABLED: ['⊘', 'Disabled'],
  CANCELLED: ['■', 'Cancelled'],
  DRAFT: ['✎', 'Draft'],
  PUBLISHED: ['✓', 'Published'],
  DEPRECATED: ['⊘', 'Deprecated'],
};
const STEP_STATUSES: WorkflowRuntimeStepStatus[] = ['NOT_STARTED', 'IN_PROGRESS', 'COMPLETED', 'DISABLED', 'FAILED'];

export function Status({ status }: { status: AnyStatus }) {
  const [sign, words] = SIGNS[status];
  return (
    <span className="status" data-status={status}>
      <span aria-hidden="true">{sign}</span> {words}
    </span>
  );
}

export function wordsOf(status: AnyStatus): string {
  return SIGNS[status][1];
}

export function StatusLegend() {
  return (
    <ul className="legend" aria-label="What the signs mean">
      {STEP_STATUSES.map((status) => (
        <li key={status}>
          <Status status={status} />
        </li>
      ))}
    </ul>
  );
}
