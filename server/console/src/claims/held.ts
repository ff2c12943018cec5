// The claims of this tab of the browser: their tokens are kept until it is closed, and are in no address.

import { External } from '../external';
import type { ClaimedFieldsFragment } from '../generated/graphql';

export interface Held {
  claimToken: string;
  /** When it was claimed: tells this claim from a later one of the same step. */
  claimedAt: string;
  leaseExpiresAt: string | null;
}

type AllHeld = Readonly<Record<string, Held>>;

const CLAIMS = 'stepgraph:claims';
const WORKER = 'stepgraph:worker';
/** Seconds for which a step is claimed, and for which its lease is extended. */
export const LEASE = 300;

const held = new External<AllHeld>(JSON.parse(sessionStorage.getItem(CLAIMS) ?? '{}') as AllHeld);
/** Who works here, as everybody sees it. */
export const worker = new External(sessionStorage.getItem(WORKER) ?? '');

export function keepWorker(name: string): void {
  sessionStorage.setItem(WORKER, name);
  worker.value = name;
}

/** The claim of a step, by the attempt's id; it may have been lost meanwhile. */
export function useHeld(id: string): Held | undefined {
  return held.usePart((all) => all[id]);
}

/** Whether it is this one that holds a step, of which the server shows `claim`. */
export function isCurrent({ claimedAt }: Held, claim: { claimedAt: string } | null | undefined): boolean {
  return claimedAt === claim?.claimedAt;
}

/** A claim that was made, or whose lease was extended. */
export function keepClaim({ claimToken, leaseExpiresAt, step }: ClaimedFieldsFragment): void {
  if (step.claim) keep({ ...held.value, [step.id]: { claimToken, leaseExpiresAt, claimedAt: step.claim.claimedAt } });
}

export function forgetClaim(id: string): void {
  const { [id]: _, ...others } = held.value;
  keep(others);
}

export function forgetAllClaims(): void {
  keep({});
}

function keep(all: AllHeld): void {
  sessionStorage.setItem(CLAIMS, JSON.stringify(all));
  held.value = all;
}
