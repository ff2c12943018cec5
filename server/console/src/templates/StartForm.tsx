// Starts an execution of a template's active version, with a context that fits its `contextSchema`.

import { useState } from 'react';
import { CommandForm } from '../commands/CommandForm';
import { StartExecution } from '../documents';
import { SchemaForm } from '../forms/SchemaForm';
import { initialOf, type Schema } from '../forms/schema';
import { href } from '../route';

interface Props {
  templateKey: string;
  definition: Record<string, unknown>;
}

export function StartForm({ templateKey, definition }: Props) {
  const schema = definition.contextSchema as Schema | undefined;
  const [context, setContext] = useState(() => initialOf(schema));
  return (
    <section aria-labelledby="start-title">
      <h2 id="start-title">Start an execution</h2>
      <CommandForm
        title="Start"
        document={StartExecution}
        inputOf={(fields) => ({
          workflowTemplateKey: templateKey,
          name: String(fields.get('name')) || undefined,
          context,
        })}
        onDone={({ workflowExecution }) => {
          location.hash = href(['executions', workflowExecution.id]);
        }}
      >
        {(issues) => (
          <>
            <label>
              Name of the execution <span className="hint">(the template's where there is none)</span>
              <input name="name" />
            </label>
            <SchemaForm
              schema={schema}
              value={context}
              path="/context"
              issues={issues}
              onChange={setContext}
            />
          </>
        )}
      </CommandForm>
    </section>
  );
}
