// What a subscription has come to, as a component draws it.

import { useEffect, useState } from 'react';
import { type AnyVariables, type CombinedError, type TypedDocumentNode, useClient } from 'urql';
import { follow } from './follow';

interface Live<State> {
  state?: State;
  error?: CombinedError;
}

/** Follows a stream that begins with the whole state after every break. `fold` has to be the same function every time. */
export function useLive<Data, Variables extends AnyVariables, State>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  fold: (state: State | undefined, data: Data) => State,
): Live<State> {
  const client = useClient();
  const key = JSON.stringify(variables);
  const [live, setLive] = useState<Live<State>>({});
  useEffect(() => {
    setLive({});
    return follow(client, document, {
      position: () => JSON.parse(key) as Variables,
      take: (data) => setLive(({ state }) => ({ state: fold(state, data) })),
      ended: (error) => setLive(({ state }) => ({ state, error })),
    });
  }, [client, document, key, fold]);
  return live;
}
