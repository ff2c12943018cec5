// A `fetch` for event streams. The server sends a comment every 15 seconds; where nothing comes for longer, the network is
// cut, and reading fails.

const SILENCE = 20_000; // milliseconds

export async function watchedFetch(url, init) {
  const cut = new AbortController();
  let overdue;
  const expectMore = () => {
    clearTimeout(overdue);
    overdue = setTimeout(() => cut.abort(new Error('The stream has gone silent.')), SILENCE);
  };
  const noMore = () => clearTimeout(overdue);
  init.signal.addEventListener('abort', noMore);
  expectMore();
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.any([init.signal, cut.signal]) });
    const watch = new TransformStream({
      transform(bytes, controller) {
        expectMore();
        controller.enqueue(bytes);
      },
      flush: noMore,
    });
    return new Response(response.body.pipeThrough(watch), response);
  } catch (error) {
    noMore();
    throw error;
  }
}
