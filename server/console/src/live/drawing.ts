// When what has come is drawn: at once after a pause, and however many events come, five times a second.

const PAUSE = 200; // milliseconds from one drawing to the next

const waiting = new Set<() => void>();
let last = 0;

/** Call it before a frame is drawn, once. A hidden page has no frames until it is seen again. */
export function beforeDrawing(call: () => void): void {
  if (waiting.size === 0) setTimeout(() => requestAnimationFrame(callNext), last + PAUSE - performance.now());
  waiting.add(call);
}

/** One a frame, so that none takes long. */
function callNext(): void {
  last = performance.now();
  const [call] = waiting;
  if (!call) return;
  waiting.delete(call);
  if (waiting.size > 0) requestAnimationFrame(callNext);
  call();
}
