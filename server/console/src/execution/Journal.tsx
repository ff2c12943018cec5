// What happened in an execution and in all that it belongs to, newest last.

import { memo } from 'react';
import type { JournalEntryFragment } from '../generated/graphql';
import { amend } from '../route';
import { Moment } from '../shell/Moment';
import { Problem } from '../shell/Problem';
import { useJournal } from './useJournal';

interface Props {
  rootId: string;
  /** The execution that the page is about; others are named. */
  executionId: string;
}

export const Journal = memo(function Journal({ rootId, executionId }: Props) {
  const { entries, before, error, readEarlier } = useJournal(rootId);
  return (
    <section aria-labelledby="journal-title" className="history">
      <h2 id="journal-title">Journal</h2>
      {error && <Problem error={error} />}
      {before && (
        <button type="button" onClick={readEarlier}>
          Earlier changes
        </button>
      )}
      <div className="journal">
        <ol aria-labelledby="journal-title">
          {entries.map((entry) => (
            <Line key={entry.revision} entry={entry} executionId={executionId} />
          ))}
        </ol>
      </div>
    </section>
  );
});

const Line = memo(function Line({ entry, executionId }: { entry: JournalEntryFragment; executionId: string }) {
  const isElsewhere = entry.workflowExecutionId !== executionId;
  return (
    <li value={entry.revision}>
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
    </li>
  );
});
