// What a subscription has come to, as a component draws it.

import { useEffect, useState } from 'react';
import { type AnyVariables, type CombinedError, type TypedDocumentNode, useClient } from 'urql';
import { follow } from './follow';
import { beforeDrawing } from './drawing';

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
    let now: Live<State> = {};
    let isOver = false;
    const show = () => {
      if (!isOver) setLive(now);
    };
    show();
    const stop = follow(client, document, {
      position: () => JSON.parse(key) as Variables,
      take: (data) => {
        const isFirst = now.state === undefined;
        now = { state: fold(now.state, data) };
        if (isFirst) show(); // in a hidden page, too
        else beforeDrawing(show);
      },
      ended: (error) => {
        now = { ...now, error };
        show();
      },
    });
    return () => {
      isOver = true;
      stop();
    };
  }, [client, document, key, fold]);
  return live;
}
