// The executions that a step has started, each with the way to its own page.

import type { ChildFieldsFragment } from '../generated/graphql';
import { href } from '../route';
import { Status } from '../shell/Status';

export function ChildList({ step }: { step: ChildFieldsFragment }) {
  const { childProgress: progress, childWorkflowExecutions: children } = step;
  if (progress.total === 0) return null;
  return (
    <>
      <h3>
        Children: {progress.completed} of {progress.total} completed
      </h3>
      <ul className="children">
        {children.map(({ id, name, runtimeStatus }) => (
          <li key={id}>
            <a href={href(['executions', id])}>{name}</a> <Status status={runtimeStatus} />
          </li>
        ))}
      </ul>
      {progress.total > children.length && <p className="hint">The first {children.length} are shown.</p>}
    </>
  );
}
