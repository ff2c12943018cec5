// The operations of frontend_queries/, each with its sample variables and with the fragments that it uses written behind it,
// so that a tab can be read, changed and copied as it stands. What is shown of them is not here.

import { type DocumentNode, type OperationTypeNode, Kind, parse, visit } from 'graphql';

export interface ReadyOperation {
  name: string;
  kind: OperationTypeNode;
  /** The comment above the operation. */
  summary: string;
  query: string;
  variables: string;
}

const DOCUMENTS = import.meta.glob<string>('../../../frontend_queries/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const FRAGMENTS = import.meta.glob<string>('../../../frontend_queries/fragments/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const VARIABLES = import.meta.glob<string>('../../../frontend_queries/*.variables.json', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** Every operation, by name. */
export function readyOperations(): ReadyOperation[] {
  const fragments = byFileName(FRAGMENTS, '.graphql');
  const variables = byFileName(VARIABLES, '.variables.json');
  return [...byFileName(DOCUMENTS, '.graphql')]
    .map(([name, text]) => readyOperation(name, text, fragments, variables.get(name) ?? ''))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readyOperation(name: string, text: string, fragments: Map<string, string>, variables: string): ReadyOperation {
  const document = parse(text);
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  if (!operation) throw new Error(`frontend_queries/${name}.graphql holds no operation`);
  return {
    name,
    kind: operation.operation,
    summary: leadingComment(text),
    query: [text, ...fragmentsOf(document, fragments)].map((part) => part.trim()).join('\n\n') + '\n',
    variables: variables.trim(),
  };
}

/** The texts of the fragments that a document reaches, each once, in the order in which it reaches them. */
function fragmentsOf(document: DocumentNode, fragments: Map<string, string>): Iterable<string> {
  const reached = new Map<string, string>();
  const reach = (node: DocumentNode) =>
    visit(node, {
      FragmentSpread({ name: { value: name } }) {
        if (reached.has(name)) return;
        const text = fragments.get(name);
        if (text === undefined) throw new Error(`frontend_queries/fragments/${name}.graphql is missing`);
        reached.set(name, text);
        reach(parse(text));
      },
    });
  reach(document);
  return reached.values();
}

function leadingComment(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^#\s*/, ''))
    .join(' ');
}

function byFileName(files: Record<string, string>, suffix: string): Map<string, string> {
  return new Map(Object.entries(files).map(([path, text]) => [path.split('/').at(-1)!.slice(0, -suffix.length), text]));
}
