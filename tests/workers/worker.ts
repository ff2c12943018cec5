// A worker: node worker.ts URL NAME LEASE_SECONDS

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

type Claimed = { claimToken: string; step: { id: string; workflowExecution: { context: Record<string, any> } } };
type Result = { __typename: string; claimed?: Claimed[]; next?: Claimed | null };

const [url = '', worker = '', lease = ''] = process.argv.slice(2);
const query = readFileSync(new URL('worker.graphql', import.meta.url), 'utf-8');
const wanted = { worker, stepIds: ['accounts'], leaseSeconds: Number(lease) };

// Yours. It may be begun by one worker and again by another, so do twice only what may be done twice.
async function work(context: Record<string, any>, signal: AbortSignal): Promise<object> {
  return sleep((context.seconds ?? 0) * 1000, { username: context.employee.toLowerCase() }, { signal });
}

// The result of a mutation, which is sent again and again while the server is away.
async function send(operationName: string, input: object): Promise<Result> {
  const body = JSON.stringify({ query, operationName, variables: { input } });
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  for (;;) {
    const response = fetch(url, { ...request, signal: AbortSignal.timeout(40_000) });
    const answer = await response.then((given) => given.json()).catch(() => null); // null: the server did not answer
    if (answer && !answer.errors) return answer.data.result;
    if (answer && !['TIMEOUT', 'UNAVAILABLE', 'STORAGE_FULL'].includes(answer.errors[0].extensions.code)) throw answer.errors;
    await sleep(1000); // the server may be back by then
  }
}

// Claim a step, work while heartbeats keep the claim, complete the step and claim the next one with it.
for (let held: Claimed | null | undefined; ; ) {
  while (!held) held = (await send('Claim', { ...wanted, waitSeconds: 20, idempotencyKey: crypto.randomUUID() })).claimed?.[0];
  const step = { id: held.step.id, claimToken: held.claimToken };
  const over = new AbortController();
  const job: Promise<object> = work(held.step.workflowExecution.context, over.signal)
    .then((outputData) => ({ outputData, claimNext: wanted, idempotencyKey: step.claimToken }))
    .catch((error) => ({ message: String(error) }));
  let outcome: object | null = null;
  while (!outcome) {
    outcome = await Promise.race([job, sleep(wanted.leaseSeconds * 333, null, { signal: over.signal })]);
    const kept = outcome ? null : await send('Heartbeat', { ...step, leaseSeconds: wanted.leaseSeconds });
    if (kept && kept.__typename !== 'ClaimSuccess') outcome = { message: 'The claim is lost.' };
  }
  over.abort(); // where the claim is lost another may have the step by now
  const done = await send('message' in outcome ? 'Fail' : 'Complete', { ...step, ...outcome });
  console.log(step.id, done.__typename);
  held = done.next;
}
