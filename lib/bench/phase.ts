import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ControlChannel } from './control-channel.js';
import { runExchange, Watch, type Exchange } from './exchange.js';
import { serverExchange } from './exchanges.js';
import type { Link } from './link.js';
import { isOneSided } from './operations.js';
import { checkPattern, holdsPattern } from './pattern.js';
import type { Message } from './protocol.js';

/** How long a server whose memory is used serves its provider between looks at the control connection. */
const SERVING_MICROSECONDS = 200;
/** How often the client tells such a server that it is still there. */
const ALIVE_MILLISECONDS = 500;
/** A write that is complete may still be on its way: how long it has to arrive after the client has said that it is through. */
const ARRIVAL_MILLISECONDS = 1000;

/** Announces a phase to the server, runs it, and waits until the server is through with it too. */
export async function runClientPhase(
  link: Link,
  channel: ControlChannel,
  start: Message<'start'>,
  exchange: Exchange,
  timeout: number,
  onProgress: (iteration: number) => void,
): Promise<void> {
  channel.phase = phaseName(start);
  exchange.prepare();
  channel.send(start);
  await link.progressUntil(channel.receive('go'));
  let toldAt = performance.now();
  const watch = new Watch(channel, link, start, exchange, timeout, (iteration) => {
    onProgress(iteration);
    if (!isOneSided(link.operation) || performance.now() - toldAt < ALIVE_MILLISECONDS) return;
    toldAt = performance.now();
    channel.send({ type: 'alive' });
  });
  await runExchange(exchange, watch, channel);
  onProgress(start.warmup + start.iterations);
  channel.send({ type: 'end', sent: exchange.sent, received: exchange.received });
  await link.progressUntil(channel.receive('end'));
}

/** The server's half of a phase that the client has announced. */
export async function runServerPhase(
  link: Link,
  channel: ControlChannel,
  start: Message<'start'>,
  timeout: number,
): Promise<void> {
  channel.phase = phaseName(start);
  if (isOneSided(link.operation)) {
    await serveMemory(link, channel, start);
    return;
  }
  const exchange = serverExchange(link, start);
  exchange.prepare();
  channel.send({ type: 'go' });
  await runExchange(exchange, new Watch(channel, link, start, exchange, timeout), channel);
  // Both ends go on making progress until both have every completion, so that nothing is cut off.
  channel.send({ type: 'end', sent: exchange.sent, received: exchange.received });
  await link.progressUntil(channel.receive('end'));
}

/** The client reads or writes memory of this end, which only serves its provider; what was written is looked at afterwards. */
async function serveMemory(link: Link, channel: ControlChannel, { phase, size }: Message<'start'>): Promise<void> {
  const written = link.receiveBuffer.subarray(0, size);
  written.fill(0);
  channel.send({ type: 'go' });
  let message: Message<'alive' | 'end'>;
  do {
    message = await link.progressUntil(channel.receive('alive', 'end'), SERVING_MICROSECONDS);
  } while (message.type === 'alive');
  if (link.operation === 'write') await checkWritten(link, written, `${phase}, size ${size}`);
  channel.send({ type: 'end', sent: 0, received: 0 });
}

/** What the control connection says may overtake the data. Throws a BenchError `INTEGRITY` when that does not come. */
async function checkWritten(link: Link, written: Buffer, where: string): Promise<void> {
  const arrived = async (): Promise<void> => {
    const until = performance.now() + ARRIVAL_MILLISECONDS;
    while (!holdsPattern(written, link.sender) && performance.now() < until) await nextTurn();
  };
  await link.progressUntil(arrived(), SERVING_MICROSECONDS);
  checkPattern(written, link.sender, where);
}

function phaseName({ phase, size }: Message<'start'>): string {
  return `${phase} (${size} bytes)`;
}
