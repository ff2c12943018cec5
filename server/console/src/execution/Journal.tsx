// What happened in an execution and in all that it belongs to, newest last.

import { useEffect, useRef } from 'react';
import type { ExecutionViewFragment, JournalEntryFragment } from '../generated/graphql';
import { amend } from '../route';
import { Moment } from '../shell/Moment';
import { Problem } from '../shell/Problem';
import { useJournal } from './useJournal';

export function Journal({ execution }: { execution: ExecutionViewFragment }) {
  const { entries, before, error, readEarlier } = useJournal(execution.rootWorkflowExecution.id);
  const list = useRef<HTMLOListElement>(null);
  const newest = entries.at(-1)?.revision;
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [newest]);
  return (
    <section aria-labelledby="journal-title">
      <h2 id="journal-title">Journal</h2>
      {error && <Problem error={error} />}
      {before && (
        <button type="button" onClick={readEarlier}>
          Earlier changes
        </button>
      )}
      <ol className="journal" ref={list} aria-labelledby="journal-title">
        {entries.map((entry) => (
          <li key={entry.revision} value={entry.revision}>
            <Line entry={entry} executionId={execution.id} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Line({ entry, executionId }: { entry: JournalEntryFragment; executionId: string }) {
  const isElsewhere = entry.workflowExecutionId !== executionId;
  return (
    <>
      <button
        type="button"
        className="link"
        aria-label={`Show revision ${entry.revision}`}
        onClick={() => amend({ asOf: entry.revision })}
      >
        {entry.revision}
      </button>{' '}
      <strong>{entry.kind.toLowerCase().replaceAll('_', ' ')}</strong> {entry.step?.name}
      {isElsewhere && <> in {entry.workflowExecution.name}</>}
      {entry.reason && <> – {entry.reason}</>}
      <span className="hint">
        {' '}
        <Moment at={entry.at} />
        {entry.actor && ` by ${entry.actor}`}
      </span>
    </>
  );
}
