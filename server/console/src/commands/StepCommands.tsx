// What can be done with a step, as buttons; each opens its form.

import { useState } from 'react';
import { CompleteStep, DisableStep, EnableStep, FailStep, ReleaseStep, RetryStep } from '../documents';
import { SchemaForm } from '../forms/SchemaForm';
import { initialOf, type Schema } from '../forms/schema';
import type { StepViewFragment, WorkflowRuntimeStatus } from '../generated/graphql';
import { admitsOfStep, type StepCommandName } from './admits';
import { CommandForm, ReasonForm } from './CommandForm';

const TITLES: Record<StepCommandName, string> = {
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
  const names = (Object.keys(TITLES) as StepCommandName[]).filter((name) => name !== 'release' || admitted.release);
  const close = () => setOpen(undefined);
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
        <Form key={open} name={open} id={step.id} outputSchema={outputSchema} onClose={close} />
      )}
    </div>
  );
}

interface FormProps {
  name: StepCommandName;
  id: string;
  outputSchema?: Schema | null;
  onClose: () => void;
}

function Form({ name, id, outputSchema, onClose }: FormProps) {
  const common = { id, onClose, onDone: onClose };
  switch (name) {
    case 'complete':
      return <CompleteForm {...common} outputSchema={outputSchema} />;
    case 'fail':
      return <FailForm {...common} />;
    case 'retry':
      return <ReasonForm {...common} title="Retry the step" document={RetryStep} />;
    case 'disable':
      return <ReasonForm {...common} title="Take the step out" document={DisableStep} />;
    case 'enable':
      return <ReasonForm {...common} title="Enable the step" document={EnableStep} />;
    case 'release':
      return <ReasonForm {...common} title="Release the step" document={ReleaseStep} />;
  }
}

type Common = Omit<FormProps, 'name'> & { onDone: () => void };

function CompleteForm({ id, outputSchema, onClose, onDone }: Common) {
  const [output, setOutput] = useState(() => initialOf(outputSchema));
  return (
    <CommandForm
      title="Complete the step"
      document={CompleteStep}
      inputOf={() => ({ id, outputData: output })}
      onDone={onDone}
      onClose={onClose}
    >
      {(issues) => (
        <SchemaForm schema={outputSchema} value={output} path="/outputData" issues={issues} onChange={setOutput} />
      )}
    </CommandForm>
  );
}

function FailForm({ id, onClose, onDone }: Common) {
  return (
    <CommandForm
      title="Fail the step"
      document={FailStep}
      inputOf={(fields) => ({ id, message: String(fields.get('message')), code: String(fields.get('code')) || undefined })}
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
