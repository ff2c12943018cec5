// The drawn graph of a definition, with the standing of an execution's steps where there is one.

import '@xyflow/react/dist/base.css';
import { Controls, type NodeChange, ReactFlow, useStore } from '@xyflow/react';
import { type CSSProperties, memo, useCallback, useLayoutEffect, useMemo, useState } from 'react';
import { External } from '../external';
import { useIsNarrow } from '../shell/useIsNarrow';
import { type Definition, type Direction, heightOf, NODE, type Places } from './places';
import { StandingContext, standingOf, type Steps } from './standing';
import { labelId, type StepNode, StepNodeBox } from './StepNode';
import { Transitions } from './Transitions';
import { usePlaces } from './usePlaces';

interface Props {
  definition: Definition;
  steps?: Steps;
  selected?: string;
  /** Has to be the same function every time. */
  onSelect?: (stepId: string) => void;
}

// React Flow goes through every node again whenever one of its properties is another object.
const NODE_TYPES = { step: StepNodeBox };
const FIT_VIEW = { maxZoom: 1, padding: 0.06 };
const ARIA_LABELS = { 'node.a11yDescription.default': 'Press Enter to show the step beside the graph.' };
const FAR = 0.4; // the zoom below which names are too small to be read
const MARGIN = 100; // around all of it, in pixels
const NO_STEPS: Steps = [];

export function StepGraph({ steps = NO_STEPS, ...drawn }: Props) {
  const direction = useIsNarrow() ? 'TB' : 'LR';
  const places = usePlaces(drawn.definition, direction);
  const [standing] = useState(() => new External(standingOf(steps)));
  useLayoutEffect(() => {
    standing.value = standingOf(steps);
  }, [standing, steps]);
  return (
    <StandingContext value={standing}>
      {places ? <Drawing {...drawn} places={places} direction={direction} /> : <p className="graph">Drawing …</p>}
    </StandingContext>
  );
}

interface DrawingProps extends Omit<Props, 'steps'> {
  places: Places;
  direction: Direction;
}

const Drawing = memo(function Drawing({ definition, places, direction, selected, onSelect }: DrawingProps) {
  const unselected = useMemo(
    () => nodesOf(definition, places, onSelect ? 'button' : 'img'),
    [definition, places, onSelect],
  );
  const nodes = useMemo(
    () => unselected.map((node) => (node.id === selected ? { ...node, selected: true } : node)),
    [unselected, selected],
  );
  const changed = useCallback(
    (changes: NodeChange<StepNode>[]) => {
      const chosen = changes.find((change) => change.type === 'select' && change.selected);
      if (chosen?.type === 'select') onSelect?.(chosen.id);
    },
    [onSelect],
  );
  const [isFar, setFar] = useState(false);
  return (
    <div
      className="graph"
      data-far={isFar}
      style={{ '--graph-height': `${heightOf(places) + MARGIN}px` } as CSSProperties}
    >
      <ReactFlow
        key={direction}
        nodes={nodes}
        nodeTypes={NODE_TYPES}
        onNodesChange={changed}
        fitView
        fitViewOptions={FIT_VIEW}
        minZoom={0.2}
        nodesDraggable={false}
        nodesFocusable={onSelect !== undefined}
        elementsSelectable={onSelect !== undefined}
        zoomOnScroll={false}
        preventScrolling={false}
        ariaLabelConfig={ARIA_LABELS}
        aria-label="Graph of the steps"
      >
        <Transitions transitions={definition.transitions} places={places} direction={direction} />
        <Controls showInteractive={false} />
        <Distance onChange={setFar} />
      </ReactFlow>
    </div>
  );
});

/** Tells from how far the graph is seen. */
function Distance({ onChange }: { onChange: (isFar: boolean) => void }) {
  const isFar = useStore(({ transform: [, , zoom] }) => zoom < FAR);
  useLayoutEffect(() => onChange(isFar), [isFar, onChange]);
  return null;
}

function nodesOf({ steps }: Definition, places: Places, role: 'button' | 'img'): StepNode[] {
  return steps.map(({ stepId, name, type }) => {
    const position = places.get(stepId)!;
    return {
      id: stepId,
      type: 'step',
      position,
      ...NODE,
      // A place takes a browser less than a transformation does, which each has to be kept track of.
      style: { transform: 'none', left: position.x, top: position.y },
      ariaRole: role,
      domAttributes: { 'aria-labelledby': labelId(stepId) },
      data: { name, type },
    };
  });
}
