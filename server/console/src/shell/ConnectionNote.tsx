// Says that live updates have stopped, while they have.

import { reconnecting } from '../live/connection';

export function ConnectionNote() {
  const isReconnecting = reconnecting.use();
  return (
    <p role="status" className="connection-note">
      {isReconnecting && 'Reconnecting …'}
    </p>
  );
}
