// What waits for people and workers, live, the longest-waiting first.

import { useQuery } from 'urql';
import { TemplateList, WatchWorkQueue } from '../documents';
import type { QueueFieldsFragment, WatchWorkQueueSubscription, WorkflowStepExecutionWhere, WorkflowStepType } from '../generated/graphql';
import { typeName } from '../graph/StepNode';
import { foldPage } from '../live/list';
import { useLive } from '../live/useLive';
import { amend } from '../route';
import { Problem } from '../shell/Problem';
import { usePageTitle } from '../shell/usePageTitle';
import { QueueTable } from './QueueTable';

const PAGE = 100;
const TEMPLATES = { first: 500 };
const TYPES: WorkflowStepType[] = ['HUMAN_CONFIRM', 'HUMAN_FORM', 'HUMAN_URL_REDIRECT', 'HUMAN_DOC_UPLOAD', 'SYS_TASK'];
const CLAIMED: Record<string, boolean> = { yes: true, no: false };

function whereOf(search: URLSearchParams): WorkflowStepExecutionWhere {
  const type = TYPES.find((each) => each === search.get('type'));
  const template = search.get('template');
  const where: WorkflowStepExecutionWhere = { status: { eq: 'IN_PROGRESS' }, type: type ? { eq: type } : { in: TYPES } };
  if (template) where.workflowExecution = { workflowTemplateKey: { eq: template } };
  if (search.get('claimed')) where.isClaimed = CLAIMED[search.get('claimed')!];
  return where;
}

function fold(page: QueueFieldsFragment[] | undefined, { workflowStepExecutions: { entries } }: WatchWorkQueueSubscription) {
  return foldPage<(typeof entries)[number], QueueFieldsFragment>(page, entries, (entry) => entry.step);
}

export function QueuePage({ search }: { search: URLSearchParams }) {
  usePageTitle('Work queue');
  const [{ data }] = useQuery({ query: TemplateList, variables: TEMPLATES });
  const { state, error } = useLive(WatchWorkQueue, { where: whereOf(search), first: PAGE }, fold);
  const choice = (title: string, name: string, choices: [value: string, words: string][]) => (
    <label>
      {title}
      <select value={search.get(name) ?? ''} onChange={({ target }) => amend({ [name]: target.value })}>
        <option value="">Any</option>
        {choices.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <h1>Work queue</h1>
      <form role="search" aria-label="Work" className="filters" onSubmit={(event) => event.preventDefault()}>
        {choice('Template', 'template', data?.workflowTemplates.nodes.map(({ key, name }) => [key, name]) ?? [])}
        {choice('Type', 'type', TYPES.map((type) => [type, typeName(type)]))}
        {choice('Claimed', 'claimed', [
          ['yes', 'By somebody'],
          ['no', 'By nobody'],
        ])}
      </form>
      {error && <Problem error={error} />}
      {state && <QueueTable steps={state} />}
      {state?.length === PAGE && <p className="hint">The first {PAGE} are shown.</p>}
    </>
  );
}
