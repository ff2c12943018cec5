// The types of the reference that `WorkflowExecution.runtime` keeps to, as it writes them. Only WorkflowStepType, which it
// names and does not spell out, is ours: its values are those of `type` in a definition.

export enum WorkflowRuntimeStatus {
  NOT_STARTED = 'NotStarted',
  IN_PROGRESS = 'InProgress',
  COMPLETED = 'Completed',
  FAILED = 'Failed',
  CANCELLED = 'Cancelled',
}

export enum WorkflowRuntimeStepStatus {
  NOT_STARTED = 'NotStarted',
  IN_PROGRESS = 'InProgress',
  COMPLETED = 'Completed',
  DISABLED = 'Disabled',
  FAILED = 'Failed',
}

export enum WorkflowStepType {
  START = 'start',
  END = 'end',
  HUMAN_CONFIRM = 'human.confirm',
  HUMAN_FORM = 'human.form',
  HUMAN_URL_REDIRECT = 'human.url_redirect',
  HUMAN_DOC_UPLOAD = 'human.doc_upload',
  SYS_TASK = 'sys.task',
  SYS_SUB_WORKFLOW = 'sys.sub_workflow',
  GATEWAY_PARALLEL_SPLIT = 'gateway.parallel_split',
  GATEWAY_PARALLEL_JOIN = 'gateway.parallel_join',
  GATEWAY_EXCLUSIVE_SPLIT = 'gateway.exclusive_split',
  GATEWAY_INCLUSIVE_SPLIT = 'gateway.inclusive_split',
}

export type TRuntimeWorkflowExecution = {
  id: string;
  correlationId: string;
  parentWorkflowExecutionId?: string;
  rootWorkflowExecutionId?: string;
  workflowTemplateVersionId: string;
  runtimeStatus: WorkflowRuntimeStatus;
  startedAt: string;
  completedAt?: string;
  failedAt?: string;
  lastActivityAt?: string;
  context: Record<string, any>;
  steps: Record<string, TRuntimeWorkflowStepExecution>;
};

export type TRuntimeWorkflowStepExecution = {
  id: string;
  type: WorkflowStepType;
  stepId: string;
  status: WorkflowRuntimeStepStatus;
  attempt: number;
  startedAt?: string;
  completedAt?: string;
  failedAt?: string;
  dueAt?: string;
  outputData?: Record<string, any>;
  childWorkflowExecutions?: { id: string }[];
};
