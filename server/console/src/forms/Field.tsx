// One value of a form, by its schema, with the issues that the server found there.

import { useId, useState } from 'react';
import { type Issue, IssueList } from './IssueList';
import { isRequired, kindOf, propertiesOf, type Schema } from './schema';

interface Props {
  name: string;
  schema: Schema;
  value: unknown;
  required: boolean;
  /** JSON Pointer to the value, as issues have it. */
  path: string;
  issues: Issue[];
  onChange: (value: unknown) => void;
}

export function Field(props: Props) {
  const { name, schema, required, path, issues } = props;
  const issuesId = useId();
  const own = issues.filter((issue) => issue.path === path);
  const title = (
    <>
      {typeof schema.title === 'string' ? schema.title : name}
      {required && <span className="hint"> (needed)</span>}
    </>
  );
  if (kindOf(schema) === 'object') {
    return (
      <fieldset aria-describedby={issuesId}>
        <legend>{title}</legend>
        <IssueList id={issuesId} issues={own} />
        <Properties {...props} value={(props.value ?? {}) as Record<string, unknown>} />
      </fieldset>
    );
  }
  return (
    <div className="field">
      <label>
        {title}
        <Input {...props} describedBy={issuesId} isInvalid={own.length > 0} />
      </label>
      {typeof schema.description === 'string' && <p className="hint">{schema.description}</p>}
      <IssueList id={issuesId} issues={own} />
    </div>
  );
}

/** The fields of an object. */
export function Properties({ schema, value, path, issues, onChange }: Omit<Props, 'value'> & { value: Record<string, unknown> }) {
  return Object.entries(propertiesOf(schema)).map(([name, inner]) => (
    <Field
      key={name}
      name={name}
      schema={inner}
      value={value[name]}
      required={isRequired(schema, name)}
      path={`${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`}
      issues={issues}
      onChange={(changed) => onChange({ ...value, [name]: changed })}
    />
  ));
}

function Input({ schema, value, onChange, describedBy, isInvalid }: Props & { describedBy: string; isInvalid: boolean }) {
  const common = { 'aria-describedby': describedBy, 'aria-invalid': isInvalid };
  switch (kindOf(schema)) {
    case 'boolean':
    case 'choice': {
      const choices = kindOf(schema) === 'boolean' ? [true, false] : (schema.enum as unknown[]);
      return (
        <select
          {...common}
          value={choices.indexOf(value)}
          onChange={({ target }) => onChange(choices[Number(target.value)])}
        >
          <option value={-1} />
          {choices.map((choice, index) => (
            <option key={index} value={index}>
              {typeof choice === 'boolean' ? (choice ? 'Yes' : 'No') : String(choice)}
            </option>
          ))}
        </select>
      );
    }
    case 'number':
      return (
        <input
          {...common}
          type="number"
          step={schema.type === 'integer' ? 1 : 'any'}
          value={(value as number | undefined) ?? ''}
          onChange={({ target }) => onChange(target.value === '' ? undefined : target.valueAsNumber)}
        />
      );
    case 'lines':
      return (
        <textarea
          {...common}
          rows={3}
          placeholder="One a line"
          value={((value as string[] | undefined) ?? []).join('\n')}
          onChange={({ target }) => onChange(target.value === '' ? undefined : target.value.split('\n'))}
        />
      );
    case 'json':
      return <JSONInput common={common} value={value} onChange={onChange} />;
    default:
      return (
        <input
          {...common}
          value={(value as string | undefined) ?? ''}
          onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
        />
      );
  }
}

type JSONInputProps = Pick<Props, 'value' | 'onChange'> & { common: object };

function JSONInput({ common, value, onChange }: JSONInputProps) {
  const [text, setText] = useState(() => value === undefined ? '' : JSON.stringify(value, null, 2));
  return (
    <textarea
      {...common}
      rows={Math.min(12, text.split('\n').length + 1)}
      spellCheck={false}
      className="code"
      value={text}
      onChange={({ target }) => {
        setText(target.value);
        target.setCustomValidity('');
        try {
          onChange(target.value.trim() === '' ? undefined : JSON.parse(target.value));
        } catch {
          target.setCustomValidity('This is not JSON.'); // the browser keeps the form from being sent
        }
      }}
    />
  );
}
