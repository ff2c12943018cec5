// Sends a command and keeps why it was refused.

import { useState } from 'react';
import { type CombinedError, type TypedDocumentNode, useMutation } from 'urql';
import type { ErrorFieldsFragment, TransitionResultFieldsFragment } from '../generated/graphql';
import type { Refused } from './Refusal';

export type CommandDocument<Input> = TypedDocumentNode<Record<string, TransitionResultFieldsFragment | string>, { input: Input }>;

interface Outcome {
  refused?: Refused;
  error?: CombinedError;
}

/** `send` resolves to the execution's id where the command was carried out. */
export function useCommand<Input>(document: CommandDocument<Input>) {
  const [{ fetching }, mutate] = useMutation(document);
  const [outcome, setOutcome] = useState<Outcome>({});
  const send = async (input: Input): Promise<string | undefined> => {
    setOutcome({});
    const { data, error } = await mutate({ input });
    const result = resultOf(data);
    if (result?.__typename === 'TransitionSuccess') return result.workflowExecution.id;
    setOutcome({ error, refused: result as ErrorFieldsFragment | undefined });
    return undefined;
  };
  return { ...outcome, fetching, send };
}

/** The only root field of a command. */
function resultOf(data: Record<string, unknown> | undefined): TransitionResultFieldsFragment | undefined {
  const results = Object.entries(data ?? {}).filter(([name]) => name !== '__typename');
  return results[0]?.[1] as TransitionResultFieldsFragment | undefined;
}
