// Subscribes, and after every break again from where the follower stands by then (docs/clients.md).

import type { AnyVariables, Client, CombinedError, TypedDocumentNode } from 'urql';
import { breakOff, mend, tokenRefused } from './connection';

const PASSING_ERRORS = ['INTERNAL_SERVER_ERROR', 'TIMEOUT', 'TOO_MANY_OPERATIONS', 'UNAVAILABLE'];
const FINAL_CLOSE_CODES = [4400, 4406, 4409, 4429];
const TOKEN_CLOSE_CODES = [4401, 4403];

export interface Follower<Data, Variables> {
  /** Where to go on. */
  position(): Variables;
  take(data: Data): void;
  /** Nothing comes any more; without an error the stream has completed. */
  ended(error?: CombinedError): void;
}

/** Returns what stops it. */
export function follow<Data, Variables extends AnyVariables>(
  client: Client,
  document: TypedDocumentNode<Data, Variables>,
  follower: Follower<Data, Variables>,
): () => void {
  let failures = 0;
  let isOver = false;
  let timer: ReturnType<typeof setTimeout>;
  let subscription: { unsubscribe(): void } | undefined;

  const end = (error?: CombinedError) => {
    stop();
    follower.ended(error);
  };
  const stop = () => {
    isOver = true;
    clearTimeout(timer);
    mend(follower);
    subscription?.unsubscribe();
  };
  const attempt = () => {
    subscription = client.subscription(document, follower.position()).subscribe(({ data, error, hasNext }) => {
      if (isOver) return;
      if (error) return tryAgain(error);
      failures = 0;
      mend(follower);
      if (!hasNext) return end(); // the last result comes once more
      if (data) follower.take(data);
    });
  };
  const tryAgain = (error: CombinedError) => {
    tokenRefused.value ||= TOKEN_CLOSE_CODES.includes(codeOf(error));
    if (isFinal(error)) return end(error);
    breakOff(follower);
    const longest = Math.min(5_000, 100 * 2 ** failures++);
    timer = setTimeout(attempt, longest * (0.5 + Math.random() / 2));
  };

  attempt();
  return stop;
}

function isFinal(error: CombinedError): boolean {
  if (error.graphQLErrors.length > 0) {
    return !error.graphQLErrors.every(({ extensions }) => PASSING_ERRORS.includes(String(extensions.code)));
  }
  return [...FINAL_CLOSE_CODES, ...TOKEN_CLOSE_CODES].includes(codeOf(error));
}

function codeOf({ networkError }: CombinedError): number {
  return (networkError as { code?: number } | undefined)?.code ?? 0;
}
