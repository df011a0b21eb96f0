/** The batch door, one event-loop turn at a time. */
import { CompletionBatch, type CompletionQueue } from 'node-libfabric';
import { until } from './within.js';

export interface Entry {
  readonly context: number;
  readonly length: number;
  readonly flags: bigint;
  readonly tag: bigint;
  readonly error: number;
  readonly providerError: number;
}

/** Reads all of `queues`, until `count` completions have come from them together: those of each queue. */
export async function collect(queues: readonly CompletionQueue[], count: number, what: string): Promise<Entry[][]> {
  const batch = new CompletionBatch(64);
  const entries: Entry[][] = queues.map(() => []);
  await until(() => {
    queues.forEach((queue, index) => {
      const read = queue.read(batch);
      for (let i = 0; i < read; i++) entries[index]!.push(entryOf(batch, i));
    });
    return entries.flat().length >= count;
  }, what);
  return entries;
}

function entryOf(batch: CompletionBatch, i: number): Entry {
  return {
    context: batch.context[i]!,
    length: batch.length[i]!,
    flags: batch.flags[i]!,
    tag: batch.tag[i]!,
    error: batch.error[i]!,
    providerError: batch.providerError[i]!,
  };
}

/** Posts again and again until the provider takes it; `queues` are those that need progress for it. */
export async function posted(queues: readonly CompletionQueue[], post: () => boolean, what: string): Promise<void> {
  const spare = new CompletionBatch(1);
  await until(() => {
    if (post()) return true;
    for (const queue of queues) {
      if (queue.read(spare) > 0) throw new Error(`an unexpected completion: ${what}`);
    }
    return false;
  }, what);
}
