// Puts known ids in the place of sample ids, in the variables that one sees and before they are sent. Draws nothing.

import { useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';
import { fillSampleIds, rememberIds } from './ids';

export function SampleIds() {
  const variables = useGraphiQL((state) => state.variableEditor);
  const answer = useGraphiQL((state) => state.responseEditor);

  useEffect(() => {
    if (!variables) return;
    const fill = () => {
      const text = variables.getValue();
      const filled = fillSampleIds(text);
      if (filled !== text) variables.setValue(filled);
    };
    fill();
    // After the event: a change within it would reach Monaco's workers before the change that it follows.
    const listener = variables.onDidChangeModelContent(() => queueMicrotask(fill));
    return () => listener.dispose();
  }, [variables]);

  useEffect(() => {
    const listener = answer?.onDidChangeModelContent(() => rememberIds(answer.getValue()));
    return () => listener?.dispose();
  }, [answer]);

  return null;
}
