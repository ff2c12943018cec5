// The ways through a list: how many there are, back to its live first page, and on.

import type { PageFieldsFragment } from '../generated/graphql';
import { href } from '../route';

interface Props {
  place: string;
  search: URLSearchParams;
  page?: { totalCount: number; pageInfo: PageFieldsFragment };
  /** What the way back and the way on are called. */
  first: string;
  next: string;
}

export function Pages({ place, search, page, first, next }: Props) {
  const filters = Object.fromEntries(search);
  return (
    <nav aria-label="Pages" className="pages">
      <span>{page && `${page.totalCount} in all`}</span>
      {search.get('after') && <a href={href([place], { ...filters, after: '' })}>{first}</a>}
      {page?.pageInfo.hasNextPage && (
        <a href={href([place], { ...filters, after: page.pageInfo.endCursor ?? '' })}>{next}</a>
      )}
    </nav>
  );
}
