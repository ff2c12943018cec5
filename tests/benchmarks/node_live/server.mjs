// What the fan-out is compared with: `server.mjs graphql-ws SDL` executes the selection for each subscriber as graphql-ws does,
// `server.mjs ws` sends one text to all. A POST changes the state, whose first value it is told on standard input.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const [kind, sdl] = process.argv.slice(2);
let state;
let revision = 0;
const waiting = new Set();

const http = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    revision += 1;
    state = { ...state, revision };
    publish();
    const body = '{"data":{"completeStep":{"__typename":"TransitionSuccess"}}}';
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
const sockets = new WebSocketServer({
  server: http,
  path: '/graphql',
  perMessageDeflate: false,
  handleProtocols: () => 'graphql-transport-ws',
});
const publish = kind === 'ws' ? broadcast() : executeForEach();

/** The text once, the sending for each. */
function broadcast() {
  const frame = () => JSON.stringify({ id: '1', type: 'next', payload: { data: { workflowExecution: state } } });
  sockets.on('connection', (socket) =>
    socket.on('message', (data) => {
      const { type } = JSON.parse(data);
      socket.send(type === 'connection_init' ? '{"type":"connection_ack"}' : frame());
    }),
  );
  return () => {
    const text = frame();
    for (const socket of sockets.clients) socket.send(text);
  };
}

/** graphql-ws as its documentation shows it. */
function executeForEach() {
  const roots = {
    subscription: {
      async *workflowExecution() {
        for (;;) {
          yield { workflowExecution: state };
          await new Promise((resolve) => waiting.add(resolve));
        }
      },
    },
  };
  useServer({ schema: buildSchema(readFileSync(sdl, 'utf8')), roots }, sockets);
  return () => {
    const woken = [...waiting];
    waiting.clear();
    for (const wake of woken) wake();
  };
}

http.listen(0, '127.0.0.1', () => console.log(JSON.stringify(`http://127.0.0.1:${http.address().port}`)));
createInterface({ input: process.stdin }).on('line', (line) => {
  state = JSON.parse(line);
  revision = state.revision;
  console.log('true');
});
process.on('SIGTERM', () => process.exit(0));
