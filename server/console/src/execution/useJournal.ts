// The journal of a tree: its last lines, then every one that is written, none left out and none twice.

import { useCallback, useEffect, useState } from 'react';
import { type CombinedError, useClient } from 'urql';
import { FollowJournal, JournalTail } from '../documents';
import type { FollowJournalSubscription, JournalEntryFragment } from '../generated/graphql';
import { follow } from '../live/follow';
import { beforeDrawing } from '../live/drawing';

const PAGE = 50;
const LONGEST = 4 * PAGE;

type Event = FollowJournalSubscription['changes'];

interface Kept {
  entries: JournalEntryFragment[];
  /** The place before which there is more. */
  before?: string | null;
  /** Whether the reader has asked for more than the last lines. */
  hasEarlier?: boolean;
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
    let news: JournalEntryFragment[] = [];
    const showNews = () => {
      const taken = news;
      news = [];
      if (!isOver && taken.length > 0) setKept((last) => withNews(last, taken));
    };
    const begin = async () => {
      stop();
      const { nodes, pageInfo } = await readPage(null);
      if (isOver) return;
      news = [];
      setKept({ entries: nodes, before: pageInfo.hasPreviousPage ? pageInfo.startCursor : null });
      let after = pageInfo.endCursor;
      stop = follow(client, FollowJournal, {
        position: () => ({ rootId, after }),
        take: ({ changes: event }) => {
          if (isResync(event)) return void begin().catch(fail); // what lies between is no longer kept: read it anew
          after = event.cursor;
          news.push(event);
          beforeDrawing(showNews);
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
    setKept((last) => ({ ...last, hasEarlier: true }));
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

/** With the newest lines. So that a page that is left open does not grow for ever, the first go where only the last are read. */
function withNews(last: Kept, news: JournalEntryFragment[]): Kept {
  const entries = [...last.entries, ...news];
  const first = entries.length - LONGEST;
  if (last.hasEarlier || first <= 0) return { ...last, entries };
  return { ...last, entries: entries.slice(first), before: entries[first]!.cursor };
}

function isResync(event: Event): event is Exclude<Event, JournalEntryFragment> {
  return 'why' in event;
}
