// A step in the drawn graph.

import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import type { WorkflowRuntimeStepStatus, WorkflowStepType } from '../generated/graphql';
import { Status } from '../shell/Status';
import type { Direction } from './layout';

export type StepNode = Node<{
  name: string;
  type: WorkflowStepType;
  status?: WorkflowRuntimeStepStatus;
  isOverdue?: boolean;
  children?: string;
  direction: Direction;
}>;

export function StepNodeBox({ data, selected }: NodeProps<StepNode>) {
  const isLevel = data.direction === 'LR';
  return (
    <div className="step" data-status={data.status} data-type={data.type} data-selected={selected}>
      <Handle type="target" position={isLevel ? Position.Left : Position.Top} isConnectable={false} />
      <strong>{data.name}</strong>
      <span className="step-line">
        {data.status ? <Status status={data.status} /> : typeName(data.type)}
        {data.isOverdue && <span className="overdue"> ⏰ overdue</span>}
        {data.children && <span> · {data.children}</span>}
      </span>
      <Handle type="source" position={isLevel ? Position.Right : Position.Bottom} isConnectable={false} />
    </div>
  );
}

/** A type in words: `human form`. */
export function typeName(type: WorkflowStepType): string {
  return type.toLowerCase().replaceAll('_', ' ');
}
