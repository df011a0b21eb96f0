import { FabricError } from '../index.js';
import { discover, groupCandidates, providerOf, whyAbsent, type Discovery } from './candidates.js';
import { connect } from './connect.js';
import { ControlChannel } from './control-channel.js';
import { counterDeltas, readCounters, type CounterReading } from './counters.js';
import { BenchError } from './errors.js';
import { judgeBandwidth } from './expectation.js';
import { checkThresholds, refuseFallback } from './gates.js';
import type { Link } from './link.js';
import { goesBy, negotiate, type Agreement } from './negotiate.js';
import { completeParameters, type Parameters, type PingpongOptions } from './parameters.js';
import { measure } from './measure.js';
import { parseHello, type Hello, type Message } from './protocol.js';
import type { EndDescription, PingpongResult } from './result.js';
import { makeHello } from './hello.js';
import { openLink } from './open-link.js';
import { pinThread } from './pin.js';
import { addressWarnings, fallbackWarnings, processorWarnings, verifyWarnings } from './warnings.js';

/**
 * Measures latency and bandwidth to a `serve` on another host, or on this one.
 *
 * Rejects with a BenchError; once a measurement has begun, its `partial` holds what there is.
 * A wrong parameter is a RangeError.
 */
export async function pingpong(options: PingpongOptions = {}): Promise<PingpongResult> {
  const parameters = completeParameters(options);
  const { host, port, timeout, require } = parameters;
  const discovery = discover(parameters, parameters.provider);
  if (require !== undefined) requireLocally(require, discovery);
  const socket = await connect(host, port, timeout, options.signal);
  const channel = new ControlChannel(socket, timeout, options.signal);
  try {
    const result = await runSession(channel, discovery, parameters, options);
    channel.close();
    return result;
  } catch (error) {
    channel.stop(error);
    throw error;
  }
}

async function runSession(
  channel: ControlChannel,
  discovery: Discovery,
  parameters: Parameters,
  { allowFallback, thresholds = {}, onSelected, ...listeners }: PingpongOptions,
): Promise<PingpongResult> {
  const { endpointType, operation, provider, require, timeout, pin } = parameters;
  const { localAddress } = channel;
  const local = groupCandidates(discovery.infos, localAddress);
  const hello = makeHello(discovery, local, { endpointType, operation }, localAddress);
  channel.send(hello);
  const theirs = parseHello(await channel.receiveAny());
  const agreement = negotiate(hello, theirs, parameters);
  if (require !== undefined) requireAgreed(require, agreement);
  if (provider === undefined && allowFallback !== true) refuseFallback(agreement.client.provider);

  const plan = makePlan(agreement, parameters);
  channel.send(plan);
  using link = await openLink(channel, 'client', local, agreement.client, plan, timeout);
  using pinned = pin === undefined ? undefined : pinThread(pin, link.local.domain);
  const result = describe(link, hello, theirs, agreement, parameters);
  if (pinned) result.processor = pinned.processor;
  onSelected?.(result);
  const before = readCounters(result.client.domain);
  try {
    await measure(link, channel, result, listeners);
    proveThePath(result, before);
    const expectation = judgeBandwidth(result);
    if (expectation) result.expectation = expectation;
    channel.phase = 'close';
    channel.send({ type: 'done' });
    await link.progressUntil(channel.receive('done'));
    checkThresholds(result, thresholds);
    return result;
  } catch (error) {
    throw withPartial(error, result);
  }
}

function requireLocally(required: string, { infos, rejected }: Discovery): void {
  if (infos.some((info) => goesBy(providerOf(info), required))) return;
  throw new BenchError('NO_PROVIDER', `${required} is required: ${whyAbsent(required, infos, rejected)}`);
}

function requireAgreed(required: string, { client, notUsed }: Agreement): void {
  if (goesBy(client.provider, required)) return;
  const why = notUsed.find(({ provider }) => goesBy(provider, required))?.reason;
  throw new BenchError(
    'NO_PROVIDER',
    `${required} is required, but the ends would use ${client.provider}; ${required}: ${why}`,
    { hint: `-p ${required} considers nothing else` },
  );
}

/** What the device has counted meanwhile. Messages that are there while efa's counters stand still took another way. */
function proveThePath(result: PingpongResult, before: CounterReading | undefined): void {
  const after = before && readCounters(result.client.domain);
  if (!before || !after) return;
  result.counters = counterDeltas(before, after);
  if (result.provider === 'efa' && result.counters.length === 0) {
    result.warnings.push({
      code: 'COUNTERS_FLAT',
      message: `the counters of ${after.device} did not move: did the data go over efa?`,
    });
  }
}

function makePlan(
  { server, addressFormat }: Agreement,
  { operation, door, poll, verify, streams, sizes }: Parameters,
): Message<'plan'> {
  return {
    type: 'plan',
    provider: server.provider,
    protocol: server.protocol,
    ...(server.fabric === undefined ? {} : { fabric: server.fabric }),
    addressFormat,
    operation,
    door,
    poll,
    verify,
    streams,
    maxSize: Math.max(...sizes),
  };
}

function describe(
  link: Link,
  hello: Hello,
  theirs: Hello,
  agreement: Agreement,
  parameters: Parameters,
): PingpongResult {
  const client = describeEnd(hello, link.local);
  const server = describeEnd(theirs, link.remote);
  return {
    provider: agreement.client.provider,
    protocol: agreement.client.protocol,
    endpointType: agreement.client.endpointType,
    reason: agreement.reason,
    notUsed: agreement.notUsed,
    warnings: [
      ...fallbackWarnings(agreement, hello.candidates, parameters.provider),
      ...addressWarnings(client, server),
      ...processorWarnings(hello, theirs),
      ...verifyWarnings(parameters),
    ],
    client,
    server,
    parameters,
    counters: [],
    measurements: [],
  };
}

function describeEnd(
  { host, libfabric }: Hello,
  { provider, domain, dataAddress, controlAddress }: Message<'ready'>,
): EndDescription {
  return { host: host.name, libfabric, provider, domain, dataAddress, controlAddress };
}

/** A failure in mid-measurement, with what was measured before it. */
function withPartial(error: unknown, partial: PingpongResult): unknown {
  const known =
    error instanceof FabricError
      ? new BenchError('TRANSFER_FAILED', `${error.message} (${error.code})`, { cause: error })
      : error;
  if (known instanceof BenchError) known.partial = partial;
  return known;
}
