/** Which loop runs a phase: by what it measures, by the door, by the operation, and by the end. */
import { AwaitedLatencyClient, AwaitedLatencyServer } from './awaited.js';
import { AwaitedBidirectional, AwaitedWindowReceiver, AwaitedWindowSender } from './awaited-windows.js';
import { BidirectionalExchange } from './bidirectional.js';
import type { Exchange } from './exchange.js';
import { LatencyClient, LatencyServer } from './latency.js';
import type { Link } from './link.js';
import { OneSidedLatency, OneSidedWindows } from './one-sided.js';
import { isOneSided } from './operations.js';
import type { Message } from './protocol.js';
import type { WindowClock } from './window-clock.js';
import { WindowReceiver, WindowSender } from './windows.js';

/** The client's half of a latency phase. */
export function latencyClient(link: Link, start: Message<'start'>): Exchange & { readonly samples: Float64Array } {
  if (link.door === 'await') return new AwaitedLatencyClient(link, start);
  return isOneSided(link.operation) ? new OneSidedLatency(link, start) : new LatencyClient(link, start);
}

/** The client's half of every other phase. */
export function windowsClient(link: Link, start: Message<'start'>): Exchange & { readonly clock: WindowClock } {
  const isAwaited = link.door === 'await';
  if (start.phase === 'bidirectional') {
    return isAwaited ? new AwaitedBidirectional(link, start) : new BidirectionalExchange(link, start);
  }
  if (isAwaited) return new AwaitedWindowSender(link, start);
  return isOneSided(link.operation) ? new OneSidedWindows(link, start) : new WindowSender(link, start);
}

/** The server's half of a phase in which it has a part. */
export function serverExchange(link: Link, start: Message<'start'>): Exchange {
  const isAwaited = link.door === 'await';
  if (start.phase === 'latency') {
    return isAwaited ? new AwaitedLatencyServer(link, start) : new LatencyServer(link, start);
  }
  if (start.phase === 'bidirectional') {
    return isAwaited ? new AwaitedBidirectional(link, start) : new BidirectionalExchange(link, start);
  }
  return isAwaited ? new AwaitedWindowReceiver(link, start) : new WindowReceiver(link, start);
}
