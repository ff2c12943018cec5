// Claims a step for whoever works here.

import { useState } from 'react';
import { useCommand } from '../commands/useCommand';
import { ClaimSteps } from '../documents';
import { keepClaim, LEASE } from './held';

/** `claim` resolves to whether the step was claimed; `isTaken` is where it could not be, because somebody was faster. */
export function useClaim(id: string) {
  const { send, ...outcome } = useCommand(ClaimSteps);
  const [isTaken, setTaken] = useState(false);
  const claim = async (worker: string): Promise<boolean> => {
    setTaken(false);
    const done = await send({ worker, ids: [id], limit: 1, leaseSeconds: LEASE });
    done?.claimed.forEach(keepClaim);
    setTaken(done?.claimed.length === 0);
    return done !== undefined && done.claimed.length > 0;
  };
  return { ...outcome, claim, isTaken };
}
