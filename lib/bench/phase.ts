import { AwaitedBandwidthReceiver, AwaitedLatencyServer } from './awaited.js';
import { BandwidthReceiver } from './bandwidth.js';
import type { ControlChannel } from './control-channel.js';
import { runExchange, Watch, type Exchange } from './exchange.js';
import { LatencyServer } from './latency.js';
import type { Link } from './link.js';
import type { Message } from './protocol.js';

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
  const watch = new Watch(channel, start, exchange, timeout, onProgress);
  await runExchange(exchange, watch, channel);
  await endPhase(link, channel, exchange);
}

/** The server's half of a phase that the client has announced. */
export async function runServerPhase(
  link: Link,
  channel: ControlChannel,
  start: Message<'start'>,
  timeout: number,
): Promise<void> {
  channel.phase = phaseName(start);
  const exchange = createServerExchange(link, start);
  exchange.prepare();
  channel.send({ type: 'go' });
  await runExchange(exchange, new Watch(channel, start, exchange, timeout), channel);
  await endPhase(link, channel, exchange);
}

function createServerExchange(link: Link, start: Message<'start'>): Exchange {
  if (start.phase === 'latency') {
    return link.door === 'batch' ? new LatencyServer(link, start) : new AwaitedLatencyServer(link, start);
  }
  return link.door === 'batch' ? new BandwidthReceiver(link, start) : new AwaitedBandwidthReceiver(link, start);
}

/** Both ends go on making progress until both have every completion, so that nothing is cut off. */
async function endPhase(link: Link, channel: ControlChannel, exchange: Exchange): Promise<void> {
  channel.send({ type: 'end', sent: exchange.sent, received: exchange.received });
  await link.progressUntil(channel.receive('end'));
}

function phaseName({ phase, size }: Message<'start'>): string {
  return `${phase} (${size} bytes)`;
}
