/** Deadlines that say what they waited for. */

/** The same promise, or a rejection that names `what` when it is still pending after `milliseconds`. */
export async function within<T>(promise: Promise<T>, what: string, milliseconds = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`still waiting after ${milliseconds} ms: ${what}`));
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets the event loop turn until `condition` holds. */
export async function until(condition: () => boolean, what: string, milliseconds = 10_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`still waiting after ${milliseconds} ms: ${what}`);
    await nextTurn();
  }
}

/** One turn of the event loop. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How each of several promises ended: `'fulfilled'`, or the `code` (or name) of what it was rejected with. */
export async function outcomes(promises: readonly Promise<unknown>[], what: string): Promise<string[]> {
  const results = await within(Promise.allSettled(promises), what);
  return results.map((result) => {
    if (result.status === 'fulfilled') return 'fulfilled';
    const { code, name } = result.reason as { code?: unknown; name?: string };
    return typeof code === 'string' ? code : String(name);
  });
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>, what: string): Promise<Error> {
  const [result] = await within(Promise.allSettled([promise]), what);
  if (result.status === 'fulfilled') throw new Error(`fulfilled, and not rejected: ${what}`);
  return result.reason as Error;
}
