// What waits for people and workers, the longest-waiting first. The first page is live; those after it stand still.

import { useEffect } from 'react';
import { useQuery } from 'urql';
import { keepWorker, worker } from '../claims/held';
import { TemplateList, WatchWorkQueue, WorkQueue } from '../documents';
import type { QueueFieldsFragment, WatchWorkQueueSubscription, WorkflowStepExecutionWhere, WorkflowStepType } from '../generated/graphql';
import { typeName } from '../graph/StepNode';
import { foldPage } from '../live/list';
import { useLive } from '../live/useLive';
import { amend } from '../route';
import { Pages } from '../shell/Pages';
import { Problem } from '../shell/Problem';
import { usePageTitle } from '../shell/usePageTitle';
import { QueueTable } from './QueueTable';

const PAGE = 50;
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
  const where = whereOf(search);
  const after = search.get('after');
  const live = useLive(WatchWorkQueue, { where, first: PAGE }, fold);
  const [paged, read] = useQuery({ query: WorkQueue, variables: { where, first: PAGE, after } });
  const shown = live.state?.map(({ id }) => id).join();
  useEffect(() => {
    if (shown !== undefined) read({ requestPolicy: 'network-only' }); // how many there are, and where the next page begins
  }, [shown, read]);

  const page = paged.data?.workflowStepExecutions;
  const steps = after ? page?.nodes : live.state;
  const problem = live.error ?? paged.error;
  const choice = (title: string, name: string, choices: [value: string, words: string][]) => (
    <label>
      {title}
      <select value={search.get(name) ?? ''} onChange={({ target }) => amend({ [name]: target.value, after: '' })}>
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
      <label className="worker">
        Your name <span className="hint">(to claim steps; everybody sees it)</span>
        <input value={worker.use()} maxLength={200} onChange={({ target }) => keepWorker(target.value)} />
      </label>
      {problem && <Problem error={problem} />}
      {steps && <QueueTable steps={steps} />}
      <Pages place="queue" search={search} page={page} first="First" next="Next" />
    </>
  );
}
