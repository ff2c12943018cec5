// The recommended rules of graphql-eslint over the exported schema and over every operation.
import graphql from '@graphql-eslint/eslint-plugin';

const { parser, configs } = graphql;

export default [
  {
    files: ['**/*.graphql'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: {
      parser,
      parserOptions: {
        graphQLConfig: { schema: './schema.graphql', documents: './operations/**/*.graphql' },
      },
    },
  },
  {
    files: ['schema.graphql'],
    rules: {
      ...configs['flat/schema-recommended'].rules,
      // Only what implements Node has an identity of its own. Values (a failure, a progress), payloads of commands,
      // pages and their edges, and the parts of a definition are known by where they stand.
      '@graphql-eslint/strict-id-in-types': 'off',
      // It takes `Claim.claimedAt`, a participle, for the type's name.
      '@graphql-eslint/no-typename-prefix': 'off',
    },
  },
  {
    files: ['operations/**/*.graphql'],
    rules: configs['flat/operations-recommended'].rules,
  },
];
