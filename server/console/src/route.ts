// Where in the console one is: `#/executions/exec_…?step=intake`. The server knows one page only.

import { useSyncExternalStore } from 'react';

export interface Route {
  path: string[];
  search: URLSearchParams;
}

type Search = Record<string, string | number | undefined>;

/** The address of a place, without what is empty. */
export function href(path: string[], search: Search = {}): string {
  const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${query && `?${query}`}`;
}

/** Stay at a place, with some of its search changed; no step of its own in the browser's history. */
export function amend(search: Search): void {
  const route = parsed(location.hash);
  const amended = href(route.path, { ...Object.fromEntries(route.search), ...search });
  history.replaceState(null, '', amended);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute(): Route {
  return parsed(useSyncExternalStore(listen, () => location.hash));
}

function parsed(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { path: path.split('/').filter(Boolean).map(decodeURIComponent), search: new URLSearchParams(query) };
}

function listen(listener: () => void) {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}
