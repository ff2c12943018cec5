// The bearer token, kept while the browser's tab is open.

import { External } from './external';

const KEY = 'stepgraph:token';

export const token = new External(sessionStorage.getItem(KEY) ?? '');

export function keepToken(value: string): void {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
  token.value = value;
}

/** What requests and `connection_init` show of it. */
export function authorization(): Record<string, string> {
  return token.value ? { authorization: `Bearer ${token.value}` } : {};
}
