// What a command asks for, the button that sends it, and why it was refused.

import type { FormEvent, ReactNode } from 'react';
import type { Issue } from '../forms/IssueList';
import { Refusal } from './Refusal';
import { type CommandDocument, type Done, useCommand } from './useCommand';

interface Props<Input> {
  title: string;
  document: CommandDocument<Input>;
  /** The input, made of the fields of the form. */
  inputOf: (fields: FormData) => Input;
  /** The fields, with the issues that were found in them. */
  children: (issues: Issue[]) => ReactNode;
  onDone: (done: Done) => void;
  onClose?: () => void;
}

export function CommandForm<Input>({ title, document, inputOf, children, onDone, onClose }: Props<Input>) {
  const { send, fetching, refused, error } = useCommand(document);
  const issues = refused?.__typename === 'ValidationFailed' ? refused.issues : [];
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const done = await send(inputOf(new FormData(event.currentTarget)));
    if (done) onDone(done);
  };
  return (
    <form className="command" onSubmit={submit} aria-label={title}>
      {children(issues)}
      <Refusal refused={refused} error={error} />
      <div className="buttons">
        <button type="submit" className="primary" disabled={fetching}>
          {title}
        </button>
        {onClose && (
          <button type="button" onClick={onClose}>
            Close
          </button>
        )}
      </div>
    </form>
  );
}

/** A form for commands that ask why, and for nothing else. */
export function ReasonForm<Input extends { id: string; reason?: string | null }>({
  input,
  ...props
}: Omit<Props<Input>, 'inputOf' | 'children'> & { input: Input }) {
  const inputOf = (fields: FormData): Input => ({ ...input, reason: String(fields.get('reason')) || undefined });
  return (
    <CommandForm {...props} inputOf={inputOf}>
      {() => (
        <label>
          Reason <span className="hint">(for the journal)</span>
          <input name="reason" autoFocus />
        </label>
      )}
    </CommandForm>
  );
}
