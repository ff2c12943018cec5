// The panel that lists the ready operations and opens one in a tab of its own.

import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { OperationTypeNode } from 'graphql';
import type { ReadyOperation } from './operations';

const TITLE = 'Ready operations';
const KINDS: [OperationTypeNode, string][] = [
  [OperationTypeNode.QUERY, 'Queries'],
  [OperationTypeNode.MUTATION, 'Mutations'],
  [OperationTypeNode.SUBSCRIPTION, 'Subscriptions'],
];

export function readyOperationsPlugin(operations: ReadyOperation[]): GraphiQLPlugin {
  return { title: TITLE, icon: Icon, content: () => <Panel operations={operations} /> };
}

function Panel({ operations }: { operations: ReadyOperation[] }) {
  const open = useOpenInTab();
  return (
    <section aria-label={TITLE} className="ready-operations">
      <h2>{TITLE}</h2>
      {KINDS.map(([kind, heading]) => (
        <div key={kind}>
          <h3>{heading}</h3>
          <ul>
            {operations
              .filter((operation) => operation.kind === kind)
              .map((operation) => (
                <li key={operation.name}>
                  <button type="button" onClick={() => open(operation)}>
                    {operation.name}
                  </button>
                  <p>{operation.summary}</p>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function useOpenInTab() {
  const { addTab, stop } = useGraphiQLActions();
  const query = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  return (operation: ReadyOperation) => {
    stop(); // A running subscription would go on writing its answers into the new tab.
    addTab();
    query?.setValue(operation.query);
    variables?.setValue(operation.variables);
  };
}

function Icon() {
  return (
    <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M2 3h2M2 8h2M2 13h2M7 3h7M7 8h7M7 13h7" />
    </svg>
  );
}
