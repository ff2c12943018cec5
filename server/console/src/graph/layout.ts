// Finds places for steps; `layout.worker.ts` runs it.

import { Graph, layout } from '@dagrejs/dagre';
import { type Layout, NODE, type Places } from './places';

/** The upper left corners of the steps. */
export function layOut({ direction, steps, ways }: Layout): Places {
  const graph = new Graph();
  graph.setGraph({ rankdir: direction, nodesep: 28, ranksep: 32 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const stepId of steps) graph.setNode(stepId, { ...NODE });
  for (const [from, to] of ways) graph.setEdge(from, to);
  layout(graph);
  return new Map(
    steps.map((stepId) => {
      const { x = 0, y = 0 } = graph.node(stepId);
      return [stepId, { x: x - NODE.width / 2, y: y - NODE.height / 2 }];
    }),
  );
}
