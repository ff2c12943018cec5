// One execution, live: its graph, its steps, its history; or all of it as it stood at an earlier revision.

import { useQuery } from 'urql';
import { ExecutionCommands } from '../commands/ExecutionCommands';
import { ExecutionViewAsOf, VersionDetail, WatchExecutionView } from '../documents';
import type { ExecutionViewFragment, WatchExecutionViewSubscription } from '../generated/graphql';
import { StepGraph } from '../graph/StepGraph';
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

function latest(_: ExecutionViewFragment | undefined, { workflowExecution }: WatchExecutionViewSubscription) {
  return workflowExecution;
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
  return (
    <>
      <ExecutionHeader execution={shown ?? now} />
      <ExecutionCommands execution={now} />
      <Scrubber revision={asOf} newest={now.treeRevision} />
      {isPast && past.error && <Problem error={past.error} />}
      {shown ? (
        <Steps execution={shown} isPast={isPast} selected={search.get('step') ?? undefined} />
      ) : (
        !past.fetching && !past.error && <p className="empty">It did not exist yet at this revision.</p>
      )}
      {shown && <Timeline execution={shown} />}
      <Journal key={now.id} execution={now} />
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
          onSelect={(stepId) => amend({ step: stepId })}
        />
      )}
      {step && <StepPanel execution={execution} step={step} isPast={isPast} />}
    </section>
  );
}
