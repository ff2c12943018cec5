// How the page asks: queries and mutations by POST, subscriptions over a WebSocket, both with the headers of its editor.

import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';

const ENDPOINT = '/graphql';

/**
 * The page's fetcher. A browser gives a WebSocket no headers, so the toolkit makes them the payload of `connection_init`,
 * whose members, unlike headers, are told apart by case: the server knows `authorization`.
 */
export function pageFetcher(): Fetcher {
  const fetcher = createGraphiQLFetcher({
    url: ENDPOINT,
    subscriptionUrl: `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${ENDPOINT}`,
  });
  return (parameters, options) => fetcher(parameters, { ...options, headers: inLowerCase(options?.headers) });
}

function inLowerCase(headers: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
