// The same types as JSON has them. TypeScript takes no text in the place of an enum's member, and JSON holds no members but
// their texts; everything else stays as it is.

import type {
  TRuntimeWorkflowExecution,
  WorkflowRuntimeStatus,
  WorkflowRuntimeStepStatus,
  WorkflowStepType,
} from './runtime-types.js';

type Enum = WorkflowRuntimeStatus | WorkflowRuntimeStepStatus | WorkflowStepType;
type IsAny<T> = 0 extends 1 & T ? true : false;
type Wire<T> = IsAny<T> extends true ? T : T extends Enum ? `${T}` : { [Key in keyof T]: Wire<T[Key]> };

export type Execution = Wire<TRuntimeWorkflowExecution>;

/** The one departure: an execution that has not begun has no start. */
export type NotStartedExecution = Omit<Execution, 'startedAt'> & { runtimeStatus: 'NotStarted' };
