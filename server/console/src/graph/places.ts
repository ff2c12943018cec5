// Where the steps of a definition are drawn.

import type { DefinitionGraphFragment } from '../generated/graphql';

export const NODE = { width: 160, height: 58 };

export type Definition = DefinitionGraphFragment;
export type Direction = 'LR' | 'TB';
export interface Place {
  x: number;
  y: number;
}
/** The upper left corners of the steps, by their ids. */
export type Places = Map<string, Place>;

/** What is to be laid out: the steps' ids, and from which to which there is a way. */
export interface Layout {
  direction: Direction;
  steps: string[];
  ways: [from: string, to: string][];
}

/** How tall all of it is. */
export function heightOf(places: Places): number {
  const tops = [...places.values()].map(({ y }) => y);
  return Math.max(...tops) - Math.min(...tops) + NODE.height;
}

/** The places that `ui.position` has, where every step has one. */
export function givenPlaces({ steps }: Definition): Places | undefined {
  const given = steps.map(({ ui }) => ui?.position as Partial<Place> | undefined);
  if (!given.every((place) => typeof place?.x === 'number' && typeof place?.y === 'number')) return undefined;
  return new Map(steps.map(({ stepId }, index) => [stepId, given[index] as Place]));
}
