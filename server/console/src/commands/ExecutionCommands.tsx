// What can be done with an execution, as buttons.

import { useState } from 'react';
import { BeginExecution, CancelExecution } from '../documents';
import type { ExecutionViewFragment } from '../generated/graphql';
import { admitsOfExecution } from './admits';
import { ReasonForm } from './CommandForm';
import { Refusal } from './Refusal';
import { useCommand } from './useCommand';

export function ExecutionCommands({ execution }: { execution: ExecutionViewFragment }) {
  const [isCancelling, setCancelling] = useState(false);
  const { send, fetching, refused, error } = useCommand(BeginExecution);
  const admitted = admitsOfExecution(execution);
  const close = () => setCancelling(false);
  return (
    <div className="commands">
      <div className="buttons" role="group" aria-label="Commands on the execution">
        <button type="button" disabled={!admitted.start || fetching} onClick={() => send({ id: execution.id })}>
          Start
        </button>
        <button
          type="button"
          aria-expanded={isCancelling}
          disabled={!admitted.cancel}
          onClick={() => setCancelling(!isCancelling)}
        >
          Cancel
        </button>
      </div>
      <Refusal refused={refused} error={error} />
      {isCancelling && admitted.cancel && (
        <ReasonForm
          title="Cancel the execution"
          document={CancelExecution}
          input={{ id: execution.id }}
          onClose={close}
          onDone={close}
        />
      )}
    </div>
  );
}
