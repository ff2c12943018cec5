// How the steps stand, for what is drawn of each: the graph itself is drawn once, and a step again when it changes.

import { createContext, useContext } from 'react';
import { External } from '../external';
import type { ExecutionViewFragment } from '../generated/graphql';

export type Steps = ExecutionViewFragment['steps'];
export type Step = Steps[number];
export type Standing = ReadonlyMap<string, Step>;

export const NOTHING: Standing = new Map();

export const StandingContext = createContext(new External(NOTHING));

/** By the steps' ids in the definition. */
export function standingOf(steps: Steps): Standing {
  return new Map(steps.map((step) => [step.stepId, step]));
}

/** A step of the execution that is shown, where one is. */
export function useStep(stepId: string): Step | undefined {
  return useContext(StandingContext).usePart((standing) => standing.get(stepId));
}
