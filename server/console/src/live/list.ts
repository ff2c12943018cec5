// A live page of a list: what has changed on it, folded (schema: `WorkflowExecutionListEvent`).

import type { ListEventKind } from '../generated/graphql';

interface Entry {
  kind: ListEventKind;
  id: string;
  index?: number | null;
}

/** A page after an event. Every entry of the first event is INITIAL, or there is none. */
export function foldPage<E extends Entry, Row extends { id: string }>(
  page: Row[] | undefined,
  entries: E[],
  rowOf: (entry: E) => Row | null | undefined,
): Row[] {
  const isWhole = entries.every(({ kind }) => kind === 'INITIAL');
  const named = new Set(entries.map(({ id }) => id));
  const rows = isWhole ? [] : (page ?? []).filter(({ id }) => !named.has(id));
  for (const entry of entries) {
    const row = rowOf(entry);
    if (row && entry.index != null) rows.splice(entry.index, 0, row);
  }
  return rows;
}
