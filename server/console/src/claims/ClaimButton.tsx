// Takes a step of the queue and goes to it.

import { Refusal } from '../commands/Refusal';
import type { QueueFieldsFragment } from '../generated/graphql';
import { href } from '../route';
import { worker } from './held';
import { Taken } from './Taken';
import { useClaim } from './useClaim';

export function ClaimButton({ step }: { step: QueueFieldsFragment }) {
  const name = worker.use().trim();
  const { claim, isTaken, fetching, refused, error } = useClaim(step.id);
  const take = async () => {
    if (await claim(name)) location.hash = href(['executions', step.workflowExecution.id], { step: step.stepId });
  };
  return (
    <>
      <button type="button" disabled={!name || fetching} aria-label={`Claim ${step.name}`} onClick={take}>
        Claim
      </button>
      {isTaken && <Taken />}
      <Refusal refused={refused} error={error} />
    </>
  );
}
