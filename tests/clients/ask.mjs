import { isFinal, pause } from './resume.mjs';

// Asks until there is an answer that another attempt would not change.
export async function ask(url, query, variables) {
  const body = JSON.stringify({ query, variables });
  for (let failures = 0; ; failures += 1) {
    try {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) });
      const answer = isFinal({ response }) ? { errors: [{ message: `HTTP ${response.status}` }] } : await response.json();
      if (!answer.errors || isFinal(answer.errors)) return answer;
    } catch {
      // The server or the network is away.
    }
    await pause(failures);
  }
}
