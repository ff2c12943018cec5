// Ids for sample variables: the newest that the answers named, kept for every tab of the browser.
// A sample id is a type prefix and zeros: well-formed, and the id of nothing.

const STORAGE_KEY = 'stepgraph:ids';
const SAMPLE_ID = /\b(exec|step|tmpl|tver)_0{26}\b/g;
const ID = /^(exec|step|tmpl|tver)_[0-9a-hjkmnp-tv-z]{26}$/;

type Ids = Record<string, string>;

/** The variables with known ids in the place of sample ids. */
export function fillSampleIds(variables: string): string {
  const ids = storedIds();
  return variables.replace(SAMPLE_ID, (sample, prefix: string) => ids[prefix] ?? sample);
}

/** Keep the first id of each type that an answer names; of steps, the first that is in progress. */
export function rememberIds(answer: string): void {
  const found: Ids = {};
  for (const node of objectsIn(parsed(answer))) {
    const prefix = typeof node.id === 'string' ? ID.exec(node.id)?.[1] : undefined;
    if (!prefix || prefix in found) continue;
    if (prefix === 'step' && node.status !== 'IN_PROGRESS') continue;
    found[prefix] = node.id as string;
  }
  localStorage.setItem(STORAGE_KEY, JSON.stringify({ ...storedIds(), ...found }));
}

function storedIds(): Ids {
  return (parsed(localStorage.getItem(STORAGE_KEY) ?? '') ?? {}) as Ids;
}

function* objectsIn(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const inner of Object.values(value)) yield* objectsIn(inner);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A text that is being typed, or none.
  }
}
