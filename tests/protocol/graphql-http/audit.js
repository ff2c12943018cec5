// Runs the server audits of graphql-http against the URL given and prints them as JSON.
import { auditServer } from 'graphql-http';

const audits = await auditServer({ url: process.argv[2] });
const report = audits.map(({ id, name, status, reason }) => ({ id, name, status, reason }));
process.stdout.write(JSON.stringify(report));
