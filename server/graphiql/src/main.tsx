// The GraphiQL page: which plugins it has, and which tabs are there at the first visit.

import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './style.css';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { pageFetcher } from './fetcher';
import { type ReadyOperation, readyOperations } from './operations';
import { readyOperationsPlugin } from './readyOperationsPlugin';
import { SampleIds } from './SampleIds';

/** The tabs of the first visit, in the order in which one would try them; the panel opens every other operation. */
const FIRST_TABS = [
  'StartExecution',
  'WatchExecution',
  'CompleteStep',
  'ExecutionDetail',
  'ExecutionList',
  'WorkQueue',
  'TemplateList',
];

/** What the variables editor accepts for the scalars of the schema; of a scalar it does not know, only primitive values. */
const SCALARS = { JSON: {}, JSONObject: { type: 'object' }, DateTime: { type: 'string' }, Duration: { type: 'string' } } as const;

const operations = readyOperations();
const firstTabs = FIRST_TABS.map((name) => operationNamed(name));
const isFirstVisit = localStorage.getItem('graphiql:tabState') === null;

const readyPlugin = readyOperationsPlugin(operations);
const plugins = [readyPlugin, explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];

function operationNamed(name: string): ReadyOperation {
  const found = operations.find((operation) => operation.name === name);
  if (!found) throw new Error(`frontend_queries/${name}.graphql is missing`);
  return found;
}

createRoot(document.getElementById('graphiql')!).render(
  <GraphiQL
    fetcher={pageFetcher()}
    customScalarSchemas={SCALARS}
    plugins={plugins}
    visiblePlugin={readyPlugin}
    defaultTabs={firstTabs}
    // GraphiQL fills the variables editor of the first of its default tabs only from here.
    initialVariables={isFirstVisit ? firstTabs[0]?.variables : undefined}
    defaultEditorToolsVisibility="variables"
  >
    <SampleIds />
  </GraphiQL>,
);
