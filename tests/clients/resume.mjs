// Subscribes, and after every break again from where `follower` stands, until the stream completes.

// Close codes and error codes after which another attempt has a chance; what else the server says is final.
const FINAL_CLOSE_CODES = [4400, 4401, 4406, 4409, 4429];
const PASSING_ERRORS = ['INTERNAL_SERVER_ERROR', 'TIMEOUT', 'TOO_MANY_OPERATIONS', 'UNAVAILABLE'];

export function isFinal(error) {
  if (Array.isArray(error)) return !error.every(({ extensions }) => PASSING_ERRORS.includes(extensions?.code));
  return error instanceof FollowerFailed || FINAL_CLOSE_CODES.includes(error?.code);
}

class FollowerFailed extends Error {}

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
