// What can be done with a step, as buttons; each opens its form.

import { useEffect, useState } from 'react';
import { ClaimForm } from '../claims/ClaimForm';
import { Heartbeat } from '../claims/Heartbeat';
import { forgetClaim, isCurrent, useHeld } from '../claims/held';
import { CompleteStep, DisableStep, EnableStep, FailStep, ReleaseStep, RetryStep } from '../documents';
import { SchemaForm } from '../forms/SchemaForm';
import { initialOf, type Schema } from '../forms/schema';
import type { StepViewFragment, WorkflowRuntimeStatus } from '../generated/graphql';
import { admitsOfStep, type StepCommandName } from './admits';
import { CommandForm, ReasonForm } from './CommandForm';

const TITLES: Record<StepCommandName, string> = {
  claim: 'Claim',
  complete: 'Complete',
  fail: 'Fail',
  retry: 'Retry',
  disable: 'Disable',
  enable: 'Enable',
  release: 'Release',
};

interface Props {
  step: StepViewFragment;
  execution: WorkflowRuntimeStatus;
  outputSchema?: Schema | null;
}

export function StepCommands({ step, execution, outputSchema }: Props) {
  const [open, setOpen] = useState<StepCommandName>();
  const admitted = admitsOfStep(step, execution);
  const names = (Object.keys(TITLES) as StepCommandName[]).filter((name) => !isOther(name) || admitted[name]);
  const close = () => setOpen(undefined);
  const held = useHeld(step.id);
  const claimToken = held?.claimToken;
  const isOver = step.status !== 'IN_PROGRESS';
  useEffect(() => {
    if (claimToken && isOver) forgetClaim(step.id);
  }, [step.id, claimToken, isOver]);
  return (
    <div className="commands">
      <div className="buttons" role="group" aria-label="Commands">
        {names.map((name) => (
          <button
            key={name}
            type="button"
            aria-expanded={open === name}
            disabled={!admitted[name]}
            onClick={() => setOpen(open === name ? undefined : name)}
          >
            {name === 'disable' && step.status === 'FAILED' ? 'Skip' : TITLES[name]}
          </button>
        ))}
      </div>
      {open && admitted[open] && (
        <Form
          key={open}
          name={open}
          id={step.id}
          claimToken={claimToken}
          isHeld={held !== undefined && isCurrent(held, step.claim)}
          outputSchema={outputSchema}
          onClose={close}
        />
      )}
      {claimToken && admitted.complete && (open === 'complete' || open === 'fail') && (
        <Heartbeat id={step.id} claimToken={claimToken} />
      )}
    </div>
  );
}

/** Of these there is only the one that makes sense. */
function isOther(name: StepCommandName): boolean {
  return name === 'claim' || name === 'release';
}

interface FormProps {
  name: StepCommandName;
  id: string;
  /** Of this tab's claim. It is shown even where the claim is lost: without one, what was lost could be completed twice. */
  claimToken?: string;
  /** Whether that claim still holds. */
  isHeld: boolean;
  outputSchema?: Schema | null;
  onClose: () => void;
}

function Form({ name, id, claimToken, isHeld, outputSchema, onClose }: FormProps) {
  const common = { id, claimToken, onClose, onDone: onClose };
  const reasoned = { input: { id }, onClose, onDone: onClose };
  switch (name) {
    case 'claim':
      return <ClaimForm id={id} onClose={onClose} />;
    case 'complete':
      return <CompleteForm {...common} outputSchema={outputSchema} />;
    case 'fail':
      return <FailForm {...common} />;
    case 'retry':
      return <ReasonForm {...reasoned} title="Retry the step" document={RetryStep} />;
    case 'disable':
      return <ReasonForm {...reasoned} title="Take the step out" document={DisableStep} />;
    case 'enable':
      return <ReasonForm {...reasoned} title="Enable the step" document={EnableStep} />;
    case 'release':
      return <ReleaseForm {...common} isHeld={isHeld} />;
  }
}

type Common = Omit<FormProps, 'name' | 'isHeld'> & { onDone: () => void };

/** Ends this tab's claim by its token, and anybody else's as a supervisor does. */
function ReleaseForm({ id, claimToken, isHeld, onClose }: Common & { isHeld: boolean }) {
  const done = () => {
    forgetClaim(id);
    onClose();
  };
  return (
    <ReasonForm
      title="Release the step"
      document={ReleaseStep}
      input={{ id, claimToken: isHeld ? claimToken : undefined }}
      onClose={onClose}
      onDone={done}
    />
  );
}

function CompleteForm({ id, claimToken, outputSchema, onClose, onDone }: Common) {
  const [output, setOutput] = useState(() => initialOf(outputSchema));
  return (
    <CommandForm
      title="Complete the step"
      document={CompleteStep}
      inputOf={() => ({ id, claimToken, outputData: output })}
      onDone={onDone}
      onClose={onClose}
    >
      {(issues) => (
        <SchemaForm schema={outputSchema} value={output} path="/outputData" issues={issues} onChange={setOutput} />
      )}
    </CommandForm>
  );
}

function FailForm({ id, claimToken, onClose, onDone }: Common) {
  return (
    <CommandForm
      title="Fail the step"
      document={FailStep}
      inputOf={(fields) => ({
        id,
        claimToken,
        message: String(fields.get('message')),
        code: String(fields.get('code')) || undefined,
      })}
      onDone={onDone}
      onClose={onClose}
    >
      {() => (
        <>
          <label>
            What went wrong
            <input name="message" required autoFocus />
          </label>
          <label>
            Code <span className="hint">(FAILED where there is none)</span>
            <input name="code" />
          </label>
        </>
      )}
    </CommandForm>
  );
}
