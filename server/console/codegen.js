// Types of the operations of frontend_queries/. The console names its documents and does not send them, so what is
// generated of each holds its id: the SHA-256 of the text that the server knows (docs/hardening.md).

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Kind, parse, visit } from 'graphql';

const QUERIES = new URL('../../frontend_queries/', import.meta.url);
const textOf = (path) => readFileSync(new URL(path, QUERIES), 'utf8').trim();

/** The texts of the fragments that a text reaches and that are not `reached` yet, in the order in which it reaches them. */
function reach(text, reached) {
  visit(parse(text, { noLocation: true }), {
    FragmentSpread({ name: { value: name } }) {
      if (reached.has(name)) return;
      const fragment = textOf(`fragments/${name}.graphql`);
      reached.set(name, fragment);
      reach(fragment, reached);
    },
  });
  return reached;
}

/** The id of the operation that codegen has printed anew. */
function documentId(printed) {
  const operation = parse(printed).definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const text = textOf(`${operation.name.value}.graphql`);
  const document = [text, ...reach(text, new Map()).values()].join('\n\n') + '\n';
  return createHash('sha256').update(document).digest('hex');
}

export default {
  schema: '../../schema/schema.graphql',
  documents: '../../frontend_queries/**/*.graphql',
  silent: true,
  generates: {
    './src/generated/': {
      preset: 'client',
      presetConfig: {
        fragmentMasking: false,
        persistedDocuments: {
          mode: 'replaceDocumentWithHash',
          hashPropertyName: 'documentId',
          hashAlgorithm: documentId,
        },
      },
      config: {
        strictScalars: true,
        namingConvention: 'keep',
        scalars: {
          DateTime: 'string',
          Duration: 'string',
          JSON: 'unknown',
          JSONObject: 'Record<string, unknown>',
        },
        useTypeImports: true,
        enumsAsTypes: true,
      },
    },
  },
};
