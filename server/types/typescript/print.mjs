// From JSON Schemas by name on standard input, {"name": schema, …}, to their types on standard output.

import { compile } from 'json-schema-to-typescript';
import { json } from 'node:stream/consumers';

const options = {
  bannerComment: '',
  // Every reference leads to `$defs` of the same schema: no file and no address is ever read.
  $refOptions: { resolve: { external: false, file: false, http: false } },
  style: { printWidth: 110, singleQuote: false },
};

const parts = [];
for (const [name, schema] of Object.entries(await json(process.stdin))) {
  parts.push((await compile(schema, name, options)).trim());
}
process.stdout.write(parts.join('\n\n') + '\n');
