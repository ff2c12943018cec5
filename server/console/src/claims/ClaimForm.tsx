// Takes a step: nobody else completes it while the claim holds.

import type { FormEvent } from 'react';
import { Refusal } from '../commands/Refusal';
import { keepWorker, worker } from './held';
import { Taken } from './Taken';
import { useClaim } from './useClaim';

export function ClaimForm({ id, onClose }: { id: string; onClose: () => void }) {
  const { claim, isTaken, fetching, refused, error } = useClaim(id);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('worker')).trim();
    keepWorker(name);
    if (await claim(name)) onClose();
  };
  return (
    <form className="command" onSubmit={submit} aria-label="Claim the step">
      <label>
        Your name <span className="hint">(everybody sees it)</span>
        <input name="worker" required maxLength={200} defaultValue={worker.value} autoFocus />
      </label>
      {isTaken && <Taken />}
      <Refusal refused={refused} error={error} />
      <div className="buttons">
        <button type="submit" className="primary" disabled={fetching}>
          Claim the step
        </button>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </form>
  );
}
