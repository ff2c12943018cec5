// Sends a command and keeps why it was refused.

import { useState } from 'react';
import { type CombinedError, type TypedDocumentNode, useMutation } from 'urql';
import type { ClaimResultFieldsFragment, ErrorFieldsFragment, TransitionResultFieldsFragment } from '../generated/graphql';
import type { Refused } from './Refusal';

type Result = TransitionResultFieldsFragment | ClaimResultFieldsFragment;
export type CommandDocument<Input, R extends Result = TransitionResultFieldsFragment> = TypedDocumentNode<
  Record<string, R | string>,
  { input: Input }
>;
type Success<R extends Result> = Extract<R, { __typename: 'TransitionSuccess' | 'ClaimSuccess' }>;
export type Done = Success<TransitionResultFieldsFragment>;

interface Outcome {
  refused?: Refused;
  error?: CombinedError;
}

/** `send` resolves to the answer where the command was carried out. */
export function useCommand<Input, R extends Result>(document: CommandDocument<Input, R>) {
  const [{ fetching }, mutate] = useMutation(document);
  const [outcome, setOutcome] = useState<Outcome>({});
  const send = async (input: Input): Promise<Success<R> | undefined> => {
    setOutcome({});
    const { data, error } = await mutate({ input });
    const result = resultOf(data);
    if (result && isSuccess(result)) return result;
    setOutcome({ error, refused: result as ErrorFieldsFragment | undefined });
    return undefined;
  };
  return { ...outcome, fetching, send };
}

function isSuccess<R extends Result>(result: R): result is Success<R> {
  return result.__typename === 'TransitionSuccess' || result.__typename === 'ClaimSuccess';
}

/** The only root field of a command. */
function resultOf<R extends Result>(data: Record<string, R | string> | undefined): R | undefined {
  const results = Object.entries(data ?? {}).filter(([name]) => name !== '__typename');
  return results[0]?.[1] as R | undefined;
}
