// One execution, live: its graph, its steps, its history; or all of it as it stood at an earlier revision.

import { useQuery } from 'urql';
import { ExecutionCommands } from '../commands/ExecutionCommands';
import { ExecutionViewAsOf, VersionDetail, WatchExecutionView } from '../documents';
import type { ExecutionViewFragment, WatchExecutionViewSubscription } from '../generated/graphql';
import { StepGraph } from '../graph/StepGraph';
import { share } from '../live/share';
import { useLater } from '../live/useLater';
import { useLive } from '../live/useLive';
import { amend } from '../route';
import { Problem } from '../shell/Problem';
import { StatusLegend } from '../shell/Status';
import { usePageTitle } from '../shell/usePageTitle';
import { ExecutionHeader } from './ExecutionHeader';
import { Journal } from './Journal';
import { Scrubber } from './Scrubber';
import { StepPanel } from './StepPanel';
import { Timeline } from './Timeline';

function latest(before: ExecutionViewFragment | undefined, { workflowExecution }: WatchExecutionViewSubscription) {
  return share(before, workflowExecution);
}

function select(stepId: string) {
  amend({ step: stepId });
}

export function ExecutionPage({ id, search }: { id: string; search: URLSearchParams }) {
  const { state: now, error } = useLive(WatchExecutionView, { id }, latest);
  usePageTitle(now?.name ?? 'Execution');
  return (
    <>
      {error && <Problem error={error} />}
      {now ? <Loaded now={now} search={search} /> : <h1>Execution</h1>}
    </>
  );
}

function Loaded({ now, search }: { now: ExecutionViewFragment; search: URLSearchParams }) {
  const asOf = Math.min(Number(search.get('asOf')) || now.treeRevision, now.treeRevision);
  const isPast = asOf < now.treeRevision;
  const [past] = useQuery({ query: ExecutionViewAsOf, variables: { id: now.id, asOf }, pause: !isPast });
  const shown = isPast ? (past.data?.workflowExecution ?? null) : now;
  // In a frame of its own, so that a change in the graph lays out no more than the steps that have changed.
  const around = useLater(shown ?? now);
  return (
    <>
      <ExecutionHeader execution={around} />
      <ExecutionCommands execution={now} />
      <Scrubber revision={isPast ? asOf : around.treeRevision} newest={isPast ? now.treeRevision : around.treeRevision} />
      {isPast && past.error && <Problem error={past.error} />}
      {shown ? (
        <Steps execution={shown} isPast={isPast} selected={search.get('step') ?? undefined} />
      ) : (
        !past.fetching && !past.error && <p className="empty">It did not exist yet at this revision.</p>
      )}
      {shown && <Timeline steps={around.steps} />}
      <Journal key={now.id} rootId={now.rootWorkflowExecution.id} executionId={now.id} />
    </>
  );
}

interface StepsProps {
  execution: ExecutionViewFragment;
  isPast: boolean;
  selected?: string;
}

function Steps({ execution, isPast, selected }: StepsProps) {
  const [{ data }] = useQuery({ query: VersionDetail, variables: { id: execution.workflowTemplateVersion.id } });
  const step = execution.steps.find(({ stepId }) => stepId === selected);
  const definition = data?.workflowTemplateVersion;
  return (
    <section aria-labelledby="graph-title">
      <h2 id="graph-title" className="unseen">
        Steps
      </h2>
      <StatusLegend />
      {definition && (
        <StepGraph
          definition={definition}
          steps={execution.steps}
          selected={selected}
          onSelect={select}
        />
      )}
      {step && <StepPanel execution={execution} step={step} isPast={isPast} />}
    </section>
  );
}
