// An object that is to fit a JSON Schema: a field for each of its properties, or JSON as a whole.

import { Field, Properties } from './Field';
import type { Issue } from './IssueList';
import { kindOf, type Schema } from './schema';

interface Props {
  schema: Schema | null | undefined;
  value: Record<string, unknown>;
  path: string;
  issues: Issue[];
  onChange: (value: Record<string, unknown>) => void;
}

export function SchemaForm({ schema, value, path, issues, onChange }: Props) {
  const whole = schema ?? {};
  const common = {
    schema: whole,
    value,
    path,
    issues,
    required: false,
    onChange: (changed: unknown) => onChange((changed ?? {}) as Record<string, unknown>),
  };
  if (kindOf(whole) === 'object') return <Properties name="" {...common} />;
  return <Field name="As JSON" {...common} />;
}
