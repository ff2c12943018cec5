// How the live updates stand, for the note that tells it.

import { External } from '../external';

const broken = new Set<object>();

/** Whether some subscription has lost its connection and not got it back yet. */
export const reconnecting = new External(false);
/** Whether the server has refused the token, or that there is none. */
export const tokenRefused = new External(false);

export function breakOff(follower: object): void {
  broken.add(follower);
  reconnecting.value = true;
}

export function mend(follower: object): void {
  broken.delete(follower);
  reconnecting.value = broken.size > 0;
}
