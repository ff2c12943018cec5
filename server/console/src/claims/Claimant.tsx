// Who has a step, and until when.

import type { StepViewFragment } from '../generated/graphql';
import { Moment } from '../shell/Moment';
import { isCurrent, useHeld } from './held';

type Claimed = Pick<StepViewFragment, 'id' | 'claim'>;

export function Claimant({ step }: { step: Claimed }) {
  const held = useHeld(step.id);
  const { claim } = step;
  if (!claim) return held ? <>Your claim has ended, and nobody has it now</> : <>–</>;
  const current = held && isCurrent(held, claim) ? held : undefined;
  // That a lease was extended is told to who has it, and to nobody else.
  const until = (current ?? claim).leaseExpiresAt;
  return (
    <>
      {claim.worker}
      {current && ' (you)'} {until ? <>until <Moment at={until} /></> : 'until it is released'}
      {held && !current && '; your claim has ended'}
    </>
  );
}
