// What the server finds wrong with a value.

import type { IssueFieldsFragment } from '../generated/graphql';

export type Issue = IssueFieldsFragment;

interface Props {
  id?: string;
  issues: Issue[];
  /** Say where each is: away from its field. */
  withPath?: boolean;
}

export function IssueList({ id, issues, withPath = false }: Props) {
  if (issues.length === 0) return null;
  return (
    <ul id={id} className="issues">
      {issues.map(({ code, path, message }) => (
        <li key={`${code} ${path} ${message}`}>{withPath ? `${path}: ${message}` : message}</li>
      ))}
    </ul>
  );
}
