// PostGraphile over the tables of Stepgraph, as fast as it can be told to run: production mode, a pool as large as the
// server's own, plans and statements kept as it does by default, results written as text, no pages and no WebSockets.
//
//   node server.mjs DATABASE_URL
//
// Says its address as one line of JSON when it is ready.

import { createServer } from "node:http";

// Before anything of it is loaded.
process.env.NODE_ENV = "production";
process.env.GRAPHILE_ENV = "production";

const { postgraphile } = await import("postgraphile");
const { PostGraphileAmberPreset } = await import("postgraphile/presets/amber");
const { makePgService } = await import("postgraphile/adaptors/pg");
const { grafserv } = await import("postgraphile/grafserv/node");

const [connectionString] = process.argv.slice(2);

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ["public"], pubsub: false, poolConfig: { max: 10 } })],
  schema: { defaultBehavior: "+list" },
  // It would let nobody ask for current attempts in definition order: neither column leads an index.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  grafast: { explain: false },
  grafserv: { graphiql: false, websockets: false, watch: false, outputDataAsString: true },
};

const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify(`http://127.0.0.1:${server.address().port}`));
});
process.on("SIGTERM", () => process.exit(0));
