// A moment in the reader's own time.

const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const UNITS: [seconds: number, unit: string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
];

export function Moment({ at }: { at: string | null | undefined }) {
  if (!at) return <>–</>;
  return <time dateTime={at}>{FORMAT.format(new Date(at))}</time>;
}

/** How long something took, in its two largest units. */
export function durationOf(from: string, to: string): string {
  let seconds = (Date.parse(to) - Date.parse(from)) / 1_000;
  const parts: string[] = [];
  for (const [length, unit] of UNITS) {
    if (seconds >= length) parts.push(`${Math.floor(seconds / length)} ${unit}`);
    seconds %= length;
  }
  if (parts.length < 2) parts.push(`${parts.length ? Math.floor(seconds) : seconds.toFixed(1)} s`);
  return parts.slice(0, 2).join(' ');
}
