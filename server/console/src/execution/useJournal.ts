// The journal of a tree: its last lines, then every one that is written, none left out and none twice.

import { useCallback, useEffect, useState } from 'react';
import { type CombinedError, useClient } from 'urql';
import { FollowJournal, JournalTail } from '../documents';
import type { FollowJournalSubscription, JournalEntryFragment } from '../generated/graphql';
import { follow } from '../live/follow';

const PAGE = 50;

type Event = FollowJournalSubscription['changes'];

interface Kept {
  entries: JournalEntryFragment[];
  /** The place before which there is more. */
  before?: string | null;
  error?: CombinedError;
}

export function useJournal(rootId: string): Kept & { readEarlier: () => void } {
  const client = useClient();
  const [kept, setKept] = useState<Kept>({ entries: [] });

  const readPage = useCallback(
    async (before: string | null) => {
      const { data, error } = await client.query(JournalTail, { rootId, last: PAGE, before }).toPromise();
      if (!data) throw error;
      return data.changes;
    },
    [client, rootId],
  );

  useEffect(() => {
    let stop = () => {};
    let isOver = false;
    const begin = async () => {
      stop();
      const { nodes, pageInfo } = await readPage(null);
      if (isOver) return;
      setKept({ entries: nodes, before: pageInfo.hasPreviousPage ? pageInfo.startCursor : null });
      let after = pageInfo.endCursor;
      stop = follow(client, FollowJournal, {
        position: () => ({ rootId, after }),
        take: ({ changes: event }) => {
          if (isResync(event)) return void begin().catch(fail); // what lies between is no longer kept: read it anew
          after = event.cursor;
          setKept((last) => ({ ...last, entries: [...last.entries, event] }));
        },
        ended: (error) => setKept((last) => ({ ...last, error })),
      });
    };
    const fail = (error: CombinedError) => {
      if (!isOver) setKept((last) => ({ ...last, error }));
    };
    begin().catch(fail);
    return () => {
      isOver = true;
      stop();
    };
  }, [client, rootId, readPage]);

  const readEarlier = () => {
    readPage(kept.before ?? null).then(
      ({ nodes, pageInfo }) =>
        setKept((last) => ({
          ...last,
          entries: [...nodes, ...last.entries],
          before: pageInfo.hasPreviousPage ? pageInfo.startCursor : null,
        })),
      (error: CombinedError) => setKept((last) => ({ ...last, error })),
    );
  };
  return { ...kept, readEarlier };
}

function isResync(event: Event): event is Exclude<Event, JournalEntryFragment> {
  return 'why' in event;
}
