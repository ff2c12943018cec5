// The drawn graph of a definition, with the standing of an execution's steps where there is one.

import '@xyflow/react/dist/base.css';
import { Controls, type Edge, MarkerType, type NodeChange, ReactFlow } from '@xyflow/react';
import { type CSSProperties, useMemo } from 'react';
import type { ExecutionViewFragment } from '../generated/graphql';
import { wordsOf } from '../shell/Status';
import { useIsNarrow } from '../shell/useIsNarrow';
import { type Definition, type Direction, heightOf, NODE, placesOf } from './layout';
import { type StepNode, StepNodeBox, typeName } from './StepNode';

type Steps = ExecutionViewFragment['steps'];

interface Props {
  definition: Definition;
  steps?: Steps;
  selected?: string;
  onSelect?: (stepId: string) => void;
}

const NODE_TYPES = { step: StepNodeBox };
const MARGIN = 100; // around all of it, in pixels
const NO_STEPS: Steps = [];

export function StepGraph({ definition, steps = NO_STEPS, selected, onSelect }: Props) {
  const direction = useIsNarrow() ? 'TB' : 'LR';
  const places = useMemo(() => placesOf(definition, direction), [definition, direction]);
  const nodes = useMemo(
    () => nodesOf(definition, steps, places, direction).map((node) => ({ ...node, selected: node.id === selected })),
    [definition, steps, places, direction, selected],
  );
  const edges = useMemo(() => edgesOf(definition, steps), [definition, steps]);
  const changed = (changes: NodeChange<StepNode>[]) => {
    const chosen = changes.find((change) => change.type === 'select' && change.selected);
    if (chosen?.type === 'select') onSelect?.(chosen.id);
  };
  return (
    <div className="graph" style={{ '--graph-height': `${heightOf(places) + MARGIN}px` } as CSSProperties}>
      <ReactFlow
        key={direction}
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        onNodesChange={changed}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.06 }}
        minZoom={0.2}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={onSelect !== undefined}
        edgesFocusable={false}
        elementsSelectable={onSelect !== undefined}
        zoomOnScroll={false}
        preventScrolling={false}
        ariaLabelConfig={{ 'node.a11yDescription.default': 'Press Enter to show the step beside the graph.' }}
        aria-label="Graph of the steps"
      >
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

function nodesOf(
  { steps: defined }: Definition,
  steps: Steps,
  places: ReturnType<typeof placesOf>,
  direction: Direction,
): StepNode[] {
  const standing = new Map(steps.map((step) => [step.stepId, step]));
  return defined.map(({ stepId, name, type }) => {
    const step = standing.get(stepId);
    const { total = 0, completed = 0 } = step?.childProgress ?? {};
    const children = total > 0 ? `${completed} of ${total}` : undefined;
    return {
      id: stepId,
      type: 'step',
      position: places.get(stepId)!,
      ...NODE,
      ariaRole: steps.length > 0 ? 'button' : 'img',
      ariaLabel: [name, step ? wordsOf(step.status) : typeName(type), step?.isOverdue && 'overdue', children]
        .filter(Boolean)
        .join(', '),
      data: { name, type, status: step?.status, isOverdue: step?.isOverdue, children, direction },
    };
  });
}

/** A transition by which flow has entered a step is drawn as taken. */
function edgesOf({ transitions }: Definition, steps: Steps): Edge[] {
  const entered = new Set(steps.flatMap(({ stepId, enteredBy }) => enteredBy.map((id) => `${stepId} ${id}`)));
  return transitions.map(({ transitionId, label, from, to }) => ({
    id: transitionId,
    source: from.stepId,
    target: to.stepId,
    label,
    className: entered.has(`${to.stepId} ${transitionId}`) ? 'taken' : undefined,
    markerEnd: { type: MarkerType.ArrowClosed, color: 'var(--line)' },
  }));
}
