// A step in the drawn graph.

import type { Node, NodeProps } from '@xyflow/react';
import type { WorkflowStepType } from '../generated/graphql';
import { Status, wordsOf } from '../shell/Status';
import { type Step, useStep } from './standing';

interface Data extends Record<string, unknown> {
  name: string;
  type: WorkflowStepType;
}

export type StepNode = Node<Data>;

export function StepNodeBox({ id, data, selected }: NodeProps<StepNode>) {
  const step = useStep(id);
  const children = childrenOf(step);
  return (
    <div className="step" data-status={step?.status} data-type={data.type} data-selected={selected}>
      <span hidden id={labelId(id)}>
        {labelOf(data, step)}
      </span>
      <strong>{data.name}</strong>
      <span className="step-line">
        {step ? <Status status={step.status} /> : typeName(data.type)}
        {step?.isOverdue && <span className="overdue"> ⚠ overdue</span>}
        {children && <span> · {children}</span>}
      </span>
    </div>
  );
}

/** The element that names a step for those who do not see it. */
export function labelId(stepId: string): string {
  return `label-of-${stepId}`;
}

function labelOf({ name, type }: Data, step: Step | undefined): string {
  const standing = step ? wordsOf(step.status) : typeName(type);
  return [name, standing, step?.isOverdue && 'overdue', childrenOf(step)].filter(Boolean).join(', ');
}

function childrenOf(step: Step | undefined): string | undefined {
  const { total = 0, completed = 0 } = step?.childProgress ?? {};
  return total > 0 ? `${completed} of ${total}` : undefined;
}

/** A type in words: `human form`. */
export function typeName(type: WorkflowStepType): string {
  return type.toLowerCase().replaceAll('_', ' ');
}
