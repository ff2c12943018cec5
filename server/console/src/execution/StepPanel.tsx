// One step of an execution: how it stands and why, what came of it, and what can be done with it.

import { useEffect } from 'react';
import { useQuery } from 'urql';
import { Claimant } from '../claims/Claimant';
import { useHeld } from '../claims/held';
import { StepCommands } from '../commands/StepCommands';
import { ExplainStep, StepDetail } from '../documents';
import type { ExecutionViewFragment } from '../generated/graphql';
import { typeName } from '../graph/StepNode';
import { JSONText } from '../shell/JSONText';
import { Moment } from '../shell/Moment';
import { Status } from '../shell/Status';
import { ChildList } from './ChildList';

type Step = ExecutionViewFragment['steps'][number];

interface Props {
  execution: ExecutionViewFragment;
  step: Step;
  /** Of the past there is only what the execution's view shows. */
  isPast: boolean;
}

export function StepPanel({ execution, step, isPast }: Props) {
  return (
    <section className="panel" aria-labelledby="step-name">
      <h2 id="step-name">{step.name}</h2>
      <p>
        <Status status={step.status} /> · {typeName(step.type)}
        {step.attempt > 1 && ` · attempt ${step.attempt}`}
        {step.isOverdue && <span className="overdue"> · ⚠ overdue</span>}
      </p>
      {step.failure && (
        <p className="problem">
          {step.failure.code}: {step.failure.message}
        </p>
      )}
      {step.dueAt && (
        <p>
          Due <Moment at={step.dueAt} />
        </p>
      )}
      {step.retryAt && (
        <p>
          The next attempt starts <Moment at={step.retryAt} />
        </p>
      )}
      <Claim step={step} />
      {!isPast && <StepNow execution={execution} step={step} />}
      <ChildList step={step} />
    </section>
  );
}

function Claim({ step }: { step: Step }) {
  const held = useHeld(step.id);
  if (step.status !== 'IN_PROGRESS' || !(step.claim || held)) return null;
  return (
    <p>
      Claimed by: <Claimant step={step} />
    </p>
  );
}

function StepNow({ execution, step }: Omit<Props, 'isPast'>) {
  const [{ data: explained }, explain] = useQuery({ query: ExplainStep, variables: { id: step.id } });
  const variables = { executionId: execution.id, stepId: step.stepId };
  const [{ data: detail }, read] = useQuery({ query: StepDetail, variables });
  useEffect(() => {
    explain();
    read();
  }, [execution.revision, explain, read]);
  const shown = detail?.workflowExecution?.step;
  const explanation = explained?.explainStep;
  return (
    <>
      {explanation && <p className="hint">{explanation.summary}</p>}
      {explanation?.expression && <pre className="code">{explanation.expression}</pre>}
      {shown && (
        <StepCommands
          key={step.id}
          step={step}
          execution={execution.runtimeStatus}
          outputSchema={shown.definition.outputSchema}
        />
      )}
      {shown?.outputData && (
        <>
          <h3>Output</h3>
          <JSONText label="Output" value={shown.outputData} />
        </>
      )}
    </>
  );
}
