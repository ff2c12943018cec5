// The transitions of the drawn graph; one by which flow has entered a step is drawn as taken.
//
// They are paths of one image under the nodes. React Flow draws an image for each edge, and of a thousand images a browser
// takes long to find out what lies above what, whenever anything on the page changes.

import { EdgeText, getBezierPath, Position, ViewportPortal } from '@xyflow/react';
import { memo, useMemo } from 'react';
import { type Definition, type Direction, NODE, type Places } from './places';
import { useStep } from './standing';

type Transition = Definition['transitions'][number];

interface Props {
  transitions: Transition[];
  places: Places;
  direction: Direction;
}

export const Transitions = memo(function Transitions({ transitions, places, direction }: Props) {
  const drawn = useMemo(
    () => transitions.map((each) => ({ each, curve: curveOf(each, places, direction) })),
    [transitions, places, direction],
  );
  return (
    <ViewportPortal>
      <svg className="transitions" aria-hidden="true">
        <defs>
          <marker id="arrow" viewBox="-10 -10 20 20" markerWidth="12.5" markerHeight="12.5" orient="auto" refX="0" refY="0">
            <polyline points="-5,-4 0,0 -5,4 -5,-4" />
          </marker>
        </defs>
        {drawn.map(({ each, curve }) => (
          <Path key={each.transitionId} transition={each} curve={curve} />
        ))}
      </svg>
    </ViewportPortal>
  );
});

type Curve = ReturnType<typeof getBezierPath>;

/** From the middle of the side where a step ends to that where the next one begins. */
function curveOf({ from, to }: Transition, places: Places, direction: Direction): Curve {
  const [source, target] = [places.get(from.stepId)!, places.get(to.stepId)!];
  if (direction === 'LR') {
    return getBezierPath({
      sourceX: source.x + NODE.width,
      sourceY: source.y + NODE.height / 2,
      sourcePosition: Position.Right,
      targetX: target.x,
      targetY: target.y + NODE.height / 2,
      targetPosition: Position.Left,
    });
  }
  return getBezierPath({
    sourceX: source.x + NODE.width / 2,
    sourceY: source.y + NODE.height,
    sourcePosition: Position.Bottom,
    targetX: target.x + NODE.width / 2,
    targetY: target.y,
    targetPosition: Position.Top,
  });
}

const Path = memo(function Path({ transition, curve: [path, x, y] }: { transition: Transition; curve: Curve }) {
  const isTaken = useStep(transition.to.stepId)?.enteredBy.includes(transition.transitionId);
  return (
    <>
      <path d={path} markerEnd="url(#arrow)" className={isTaken ? 'taken' : undefined} />
      {transition.label && <EdgeText x={x} y={y} label={transition.label} />}
    </>
  );
});
