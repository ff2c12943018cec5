// All executions, newest first. The first page is live; those after it stand still.

import { useEffect } from 'react';
import { useQuery } from 'urql';
import { ExecutionList, WatchExecutions } from '../documents';
import type { WatchExecutionsSubscription } from '../generated/graphql';
import { foldPage } from '../live/list';
import { useLive } from '../live/useLive';
import { Pages } from '../shell/Pages';
import { Problem } from '../shell/Problem';
import { usePageTitle } from '../shell/usePageTitle';
import { ExecutionFilters } from './ExecutionFilters';
import { type ExecutionRow, ExecutionTable } from './ExecutionTable';
import { whereOf } from './filter';

const PAGE = 25;

function fold(page: ExecutionRow[] | undefined, { workflowExecutions: { entries } }: WatchExecutionsSubscription) {
  return foldPage<(typeof entries)[number], ExecutionRow>(page, entries, (entry) => entry.workflowExecution);
}

export function ExecutionsPage({ search }: { search: URLSearchParams }) {
  usePageTitle('Executions');
  const where = whereOf(search);
  const after = search.get('after');
  const live = useLive(WatchExecutions, { where, first: PAGE }, fold);
  const [{ data, error }, read] = useQuery({ query: ExecutionList, variables: { where, first: PAGE, after } });
  const shown = live.state?.map(({ id }) => id).join();
  useEffect(() => {
    if (shown !== undefined) read({ requestPolicy: 'network-only' }); // how many there are, and where the next page begins
  }, [shown, read]);

  const page = data?.workflowExecutions;
  const rows = after ? page?.nodes : live.state;
  const problem = live.error ?? error;
  return (
    <>
      <h1>Executions</h1>
      <ExecutionFilters search={search} />
      {problem && <Problem error={problem} />}
      {rows && <ExecutionTable rows={rows} />}
      <Pages place="executions" search={search} page={page} first="Newest" next="Older" />
    </>
  );
}
