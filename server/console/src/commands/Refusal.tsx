// Why a command was refused, in the server's words; each issue stands at its field too.

import type { CombinedError } from 'urql';
import type { ErrorFieldsFragment } from '../generated/graphql';
import { IssueList } from '../forms/IssueList';
import { Problem } from '../shell/Problem';

export type Refused = ErrorFieldsFragment;

export function Refusal({ refused, error }: { refused?: Refused; error?: CombinedError }) {
  if (error) return <Problem error={error} />;
  if (!refused) return null;
  return (
    <div role="alert" className="problem">
      <p>{refused.message}</p>
      {refused.__typename === 'ValidationFailed' && <IssueList issues={refused.issues} withPath />}
      {refused.__typename === 'InvalidTransition' && refused.allowed.length > 0 && (
        <p>It may become {refused.allowed.join(', ')}.</p>
      )}
      {refused.__typename === 'ClaimLost' && refused.claim && <p>{refused.claim.worker} is working on it.</p>}
    </div>
  );
}
