// Typed documents of every operation, as a client with Apollo, urql or TanStack Query would make them.
export default {
  schema: './schema.graphql',
  documents: './operations/**/*.graphql',
  generates: {
    './generated/': {
      preset: 'client',
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
