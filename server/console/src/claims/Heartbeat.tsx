// Keeps a claim alive while its step is worked on, and says when it is lost.

import { useEffect, useRef } from 'react';
import { Refusal } from '../commands/Refusal';
import { useCommand } from '../commands/useCommand';
import { HeartbeatStep } from '../documents';
import { keepClaim, LEASE } from './held';

const BEATS = 5; // in the time of a lease

export function Heartbeat({ id, claimToken }: { id: string; claimToken: string }) {
  const { send, refused } = useCommand(HeartbeatStep);
  const beat = useRef(async () => {});
  beat.current = async () => {
    if (refused) return; // what is lost does not come back
    const done = await send({ id, claimToken, leaseSeconds: LEASE });
    done?.claimed.forEach(keepClaim);
  };
  useEffect(() => {
    const timer = setInterval(() => void beat.current(), (LEASE / BEATS) * 1_000);
    void beat.current();
    return () => clearInterval(timer);
  }, [id, claimToken]);
  return <Refusal refused={refused} />;
}
