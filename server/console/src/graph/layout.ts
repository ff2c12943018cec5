// Where the steps of a definition are drawn.

import { Graph, layout } from '@dagrejs/dagre';
import type { DefinitionGraphFragment } from '../generated/graphql';

export const NODE = { width: 160, height: 58 };

export type Definition = DefinitionGraphFragment;
export type Direction = 'LR' | 'TB';
export interface Place {
  x: number;
  y: number;
}

/** How tall all of it is. */
export function heightOf(places: Map<string, Place>): number {
  const tops = [...places.values()].map(({ y }) => y);
  return Math.max(...tops) - Math.min(...tops) + NODE.height;
}

/** The upper left corners of the steps: as `ui.position` has them where every step has one, else laid out. */
export function placesOf({ steps, transitions }: Definition, direction: Direction): Map<string, Place> {
  const given = steps.map(({ ui }) => ui?.position as Partial<Place> | undefined);
  if (given.every((place) => typeof place?.x === 'number' && typeof place?.y === 'number')) {
    return new Map(steps.map(({ stepId }, index) => [stepId, given[index] as Place]));
  }
  const graph = new Graph();
  graph.setGraph({ rankdir: direction, nodesep: 28, ranksep: 32 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { stepId } of steps) graph.setNode(stepId, { ...NODE });
  for (const { from, to } of transitions) graph.setEdge(from.stepId, to.stepId);
  layout(graph);
  return new Map(
    steps.map(({ stepId }) => {
      const { x = 0, y = 0 } = graph.node(stepId);
      return [stepId, { x: x - NODE.width / 2, y: y - NODE.height / 2 }];
    }),
  );
}
