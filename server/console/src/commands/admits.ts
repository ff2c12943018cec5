// Which commands a status admits (docs/lifecycle.md). The server decides; this is what saves asking in vain.

import type { ExecutionViewFragment, StepViewFragment, WorkflowRuntimeStatus } from '../generated/graphql';

export type StepCommandName = 'claim' | 'complete' | 'fail' | 'retry' | 'disable' | 'enable' | 'release';
export type ExecutionCommandName = 'start' | 'cancel';

const isOpen = (status: WorkflowRuntimeStatus) => status === 'NOT_STARTED' || status === 'IN_PROGRESS';

export function admitsOfStep(step: StepViewFragment, execution: WorkflowRuntimeStatus): Record<StepCommandName, boolean> {
  const isTask = step.type.startsWith('HUMAN_') || step.type === 'SYS_TASK';
  const waits = isTask || step.type === 'SYS_SUB_WORKFLOW';
  const hasFailed = step.status === 'FAILED' && (execution === 'FAILED' || execution === 'IN_PROGRESS');
  const isGoingOn = step.status === 'IN_PROGRESS';
  return {
    claim: isTask && isGoingOn && step.claim == null,
    complete: isTask && isGoingOn,
    fail: isTask && isGoingOn,
    retry: hasFailed,
    disable: waits && (hasFailed || (isOpen(execution) && (isGoingOn || step.status === 'NOT_STARTED'))),
    enable: step.status === 'DISABLED' && !step.passedAt && isOpen(execution),
    release: isGoingOn && step.claim != null,
  };
}

export function admitsOfExecution({ runtimeStatus }: ExecutionViewFragment): Record<ExecutionCommandName, boolean> {
  return { start: runtimeStatus === 'NOT_STARTED', cancel: runtimeStatus === 'IN_PROGRESS' };
}
