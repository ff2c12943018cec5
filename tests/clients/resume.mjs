// Subscribes, and after every break again from where `follower` stands, until the stream completes.

const PASSING_ERRORS = ['INTERNAL_SERVER_ERROR', 'STORAGE_FULL', 'TIMEOUT', 'TOO_MANY_OPERATIONS', 'UNAVAILABLE'];
const FINAL_CLOSE_CODES = [4400, 4401, 4406, 4409, 4429];
const PASSING_STATUSES = [408, 425, 429]; // of those that say that the request is at fault

class FollowerFailed extends Error {}

// Whether another attempt would end in the same way: the request is at fault, or what takes its events.
export function isFinal(error) {
  if (Array.isArray(error)) return !error.every(({ extensions }) => PASSING_ERRORS.includes(extensions?.code));
  const code = error?.response?.status ?? error?.code; // an HTTP status or a close code
  const isRefusal = code >= 400 && code < 500 && !PASSING_STATUSES.includes(code);
  return error instanceof FollowerFailed || FINAL_CLOSE_CODES.includes(code) || isRefusal;
}

// One subscription to its end. Rejects with GraphQL errors, a close event, or whatever the network has.
function attempt(follower, subscribe) {
  let stop;
  const ended = new Promise((complete, error) => {
    const next = (result) => {
      if (result.errors) return error(result.errors);
      try {
        follower.take(result.data);
      } catch (cause) {
        error(new FollowerFailed(cause.message, { cause }));
      }
    };
    stop = subscribe(follower.position, { next, error, complete });
  });
  return ended.finally(() => stop());
}

export const pause = (failures) => {
  const longest = Math.min(10_000, 100 * 2 ** failures);
  return new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
};

// `subscribe(position, sink)` gives the results to `sink.next`, ends with `sink.error` or `sink.complete`, and returns a
// function that stops it. `follower.position` is a new object after every event that counts.
export async function resume(follower, subscribe) {
  let failures = 0;
  for (;;) {
    const { position } = follower;
    try {
      return await attempt(follower, subscribe);
    } catch (error) {
      if (isFinal(error)) throw error;
    }
    failures = follower.position === position ? failures + 1 : 0;
    await pause(failures);
  }
}
