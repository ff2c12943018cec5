// What has kept something from being shown.

import type { CombinedError } from 'urql';

export function Problem({ error }: { error: CombinedError }) {
  const messages = error.graphQLErrors.map(({ message }) => message);
  return (
    <p role="alert" className="problem">
      {messages.length > 0 ? messages.join(' ') : 'The server cannot be reached. Load the page again, or wait for it.'}
    </p>
  );
}
