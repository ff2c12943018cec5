// Goes back to any revision of the tree.

import { amend } from '../route';

export function Scrubber({ revision, newest }: { revision: number; newest: number }) {
  const isPast = revision < newest;
  return (
    <div className="scrubber" data-past={isPast}>
      <label>
        <span>
          Revision {revision} of {newest}
          {isPast && ': the past'}
        </span>
        <input
          type="range"
          min={1}
          max={newest}
          value={revision}
          onChange={({ target }) => amend({ asOf: Number(target.value) < newest ? target.value : '' })}
        />
      </label>
      <button type="button" disabled={!isPast} onClick={() => amend({ asOf: '' })}>
        Now
      </button>
    </div>
  );
}
