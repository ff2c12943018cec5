// The operations of frontend_queries/ as urql takes documents that are named and not sent: an id and no definitions.

import type { TypedDocumentNode } from 'urql';
import * as generated from './generated/graphql';

function named<Data, Variables extends object>(document: TypedDocumentNode<Data, Variables>): TypedDocumentNode<Data, Variables> {
  const { documentId } = (document as unknown as { __meta__: { documentId: string } }).__meta__;
  return { kind: 'Document', definitions: [], documentId } as unknown as TypedDocumentNode<Data, Variables>;
}

export const CancelExecution = named(generated.CancelExecutionDocument);
export const BeginExecution = named(generated.BeginExecutionDocument);
export const ClaimSteps = named(generated.ClaimStepsDocument);
export const CompleteStep = named(generated.CompleteStepDocument);
export const DisableStep = named(generated.DisableStepDocument);
export const EnableStep = named(generated.EnableStepDocument);
export const ExecutionList = named(generated.ExecutionListDocument);
export const ExecutionViewAsOf = named(generated.ExecutionViewAsOfDocument);
export const ExplainStep = named(generated.ExplainStepDocument);
export const FailStep = named(generated.FailStepDocument);
export const FollowJournal = named(generated.FollowJournalDocument);
export const HeartbeatStep = named(generated.HeartbeatStepDocument);
export const JournalTail = named(generated.JournalTailDocument);
export const ReleaseStep = named(generated.ReleaseStepDocument);
export const RetryStep = named(generated.RetryStepDocument);
export const StartExecution = named(generated.StartExecutionDocument);
export const StepDetail = named(generated.StepDetailDocument);
export const TemplateDetail = named(generated.TemplateDetailDocument);
export const TemplateList = named(generated.TemplateListDocument);
export const VersionDetail = named(generated.VersionDetailDocument);
export const WatchExecutions = named(generated.WatchExecutionsDocument);
export const WatchExecutionView = named(generated.WatchExecutionViewDocument);
export const WatchWorkQueue = named(generated.WatchWorkQueueDocument);
export const WorkQueue = named(generated.WorkQueueDocument);
