/**
 * What is measured, as data: who, how, and what is wanted of it. Both ends are on this machine, in processes of their own
 * unless the peer is a thread by nature.
 */
import * as target from './targets.mjs';

/** @typedef {import('./suite/types.js').Case} Case */
/** @typedef {import('./suite/types.js').Entry} Entry */

const KIB = 1024;
const MIB = 1024 * KIB;
const LARGE = [64 * KIB, 256 * KIB, MIB, 4 * MIB];
const ALL_LATENCY = [8, 64, 512, 4 * KIB, 32 * KIB, 256 * KIB, MIB];
const ALL_BANDWIDTH = [64, 512, 4 * KIB, 32 * KIB, 256 * KIB, MIB];
const FEW_SIZES = [64, 32 * KIB];

/** How long a phase counts, in seconds. */
const LONG = 0.5;
const SHORT = 0.25;
const SWEEP = 0.1;

const TCP = 'node:net, TCP';
const UNIX = 'node:net, Unix socket';
const ZEROMQ_TCP = 'zeromq, TCP';
const ZEROMQ_IPC = 'zeromq, IPC';

/** Our own loops of a shape: C, and both doors. @param {string} shape @returns {Entry[]} */
const ours = (shape) => [
  { name: 'C', program: `c-${shape}` },
  { name: 'batch', program: `batch-${shape}` },
  { name: 'await', program: `await-${shape}` },
];

/** Those of them on both fabrics that peers are compared with. @param {string} shape @returns {Entry[]} */
const oursEverywhere = (shape) =>
  ['shm', 'net'].flatMap((fabric) =>
    ours(shape).map(({ name, program }) => ({ name: `${name}, ${fabric}`, program, parameters: { fabric } })),
  );

/** What a Node user could take instead. @param {string} shape @returns {Entry[]} */
const peers = (shape) => [
  { name: TCP, program: 'peer', parameters: { shape, what: 'tcp' } },
  { name: UNIX, program: 'peer', parameters: { shape, what: 'unix' } },
  { name: ZEROMQ_TCP, program: 'peer', parameters: { shape, what: 'zeromq-tcp' } },
  { name: ZEROMQ_IPC, program: 'peer', parameters: { shape, what: 'zeromq-ipc' } },
  { name: 'ws', program: 'peer', parameters: { shape, what: 'websocket' } },
  { name: '@grpc/grpc-js', program: 'peer', parameters: { shape, what: 'grpc' } },
  { name: 'MessageChannel', program: 'message-channel', parameters: { shape } },
  { name: 'Atomics.wait', program: 'shared-memory', parameters: { shape, what: 'wait' } },
  { name: 'Atomics, spinning', program: 'shared-memory', parameters: { shape, what: 'spin' } },
];

/** @param {string} shape @param {string} wanted */
const peer = (shape, wanted) => peers(shape).filter(({ name }) => name === wanted);

const fiPingpong = { name: 'fi_pingpong', program: 'fi_pingpong' };

/** @type {Case[]} */
const latencies = [
  {
    name: 'latency/shm',
    what: '64 B ping-pong over shared memory',
    parameters: { fabric: 'shm', sizes: [64], seconds: LONG },
    entries: [...ours('pingpong'), fiPingpong, ...peer('pingpong', UNIX)],
    targets: [
      target.latency('batch', 'C', 1.15),
      target.latency('await', 'C'),
      target.latency('await', UNIX, 0.25),
      target.honestReference,
    ],
  },
  {
    name: 'latency/net',
    what: '64 B ping-pong over TCP, provider net',
    parameters: { fabric: 'net', sizes: [64], seconds: LONG },
    entries: [...ours('pingpong'), fiPingpong, ...peer('pingpong', TCP)],
    targets: [
      target.latency('batch', 'C', 1.05),
      target.latency('await', 'C', 1.35),
      target.latency('await', TCP, 0.7),
      target.honestReference,
    ],
  },
  {
    name: 'latency/rxm',
    what: '64 B ping-pong over TCP, provider tcp;ofi_rxm',
    parameters: { fabric: 'rxm', sizes: [64], seconds: LONG },
    entries: [...ours('pingpong'), fiPingpong],
    targets: [target.latency('batch', 'C', 1.05), target.latency('await', 'C'), target.honestReference],
  },
  {
    name: 'latency/efa',
    what: '64 B ping-pong over the efa provider, on a software EFA device (test/softefa)',
    parameters: { fabric: 'efa', sizes: [64], seconds: LONG },
    entries: [...ours('pingpong'), fiPingpong],
    targets: [
      target.latency('batch', 'C'),
      target.latency('await', 'C'),
      target.meanLatency('batch', 'fi_pingpong'),
      target.meanLatency('await', 'fi_pingpong'),
      target.honestReference,
    ],
  },
];

/** @type {Case[]} */
const bandwidths = ['shm', 'net'].flatMap((fabric) => [
  {
    name: `bandwidth/pingpong-${fabric}`,
    what: `ping-pong of large messages, ${fabric}`,
    parameters: { fabric, sizes: LARGE, seconds: SHORT },
    entries: ours('pingpong'),
    targets: ['batch', 'await'].map((door) => target.bandwidth(door, 'ping-pong bandwidth')),
  },
  {
    name: `bandwidth/window-${fabric}`,
    what: `windows of 64 large messages, ${fabric}`,
    parameters: { fabric, sizes: LARGE, seconds: SHORT, window: 64 },
    quick: { window: 8 },
    entries: ours('window'),
    targets: ['batch', 'await'].map((door) => target.bandwidth(door, 'windowed bandwidth')),
  },
]);

/** @type {Case[]} */
const rates = [
  {
    name: 'rate/shm',
    what: '8 B messages, 64 in flight, shm',
    parameters: { fabric: 'shm', sizes: [8], seconds: LONG, window: 64 },
    entries: [...ours('window'), ...peer('window', ZEROMQ_IPC)],
    targets: [target.rate('batch', 'C', 0.85), target.rate('await', 'C'), target.rate('await', ZEROMQ_IPC, 4)],
  },
  {
    name: 'rate/net',
    what: '8 B messages, 64 in flight, net',
    parameters: { fabric: 'net', sizes: [8], seconds: LONG, window: 64 },
    entries: [...ours('window'), ...peer('window', ZEROMQ_TCP)],
    targets: [target.rate('batch', 'C'), target.rate('await', 'C'), target.rate('await', ZEROMQ_TCP, 4)],
  },
];

/** @type {Case[]} */
const writes = ['shm', 'net'].map((fabric) => ({
  name: `rma/${fabric}`,
  what: `writes to registered memory, 64 in flight, ${fabric}`,
  parameters: { fabric, sizes: [8, ...LARGE], seconds: SHORT, window: 64 },
  entries: ours('rma-write').filter(({ name }) => name !== 'await'),
  targets: [
    { ...target.bandwidth('batch', 'RMA write bandwidth'), sizes: LARGE },
    { ...target.rate('batch', 'C', 0.85), what: '8 B RMA write rate', sizes: [8] },
  ],
}));

/** @type {Case[]} */
const memory = [
  {
    name: 'memory/allocation',
    what: '8 B messages through the batch door: what a message leaves on the JavaScript heap',
    parameters: { sizes: [8], messages: 1_000_000, seconds: SHORT, window: 64 },
    quick: { messages: 200_000 },
    entries: ['shm', 'net'].map((fabric) => ({ name: fabric, program: 'batch-window-roomy', parameters: { fabric } })),
    targets: ['shm', 'net'].map((fabric) => target.allocation(fabric)),
    rounds: 1,
  },
  {
    name: 'memory/growth',
    what: '10 million 8 B messages over shm: what a process grows by',
    parameters: { fabric: 'shm', sizes: [8], messages: 10_000_000, seconds: SHORT, window: 64 },
    quick: { messages: 200_000 },
    entries: [
      { name: 'batch', program: 'batch-window-collected' },
      { name: 'await', program: 'await-window-collected' },
    ],
    targets: ['batch', 'await'].map((door) => target.growth(door)),
    rounds: 3,
  },
];

const IDLE = { nothing: 'nothing outstanding', receive: 'used, a receive outstanding' };

/** @type {Case[]} */
const eventLoop = [
  ...['shm', 'net', 'rxm', 'efa'].map((fabric) => ({
    name: `idle/${fabric}`,
    what: `an open endpoint in mode auto while nothing happens, ${fabric}`,
    parameters: { fabric, seconds: 3 },
    entries: Object.entries(IDLE).map(([what, name]) => ({ name, program: 'idle', parameters: { what } })),
    targets: Object.values(IDLE).map((name) => target.idle(name)),
    rounds: 3,
  })),
  ...['shm', 'net'].map((fabric) => ({
    name: `event-loop/${fabric}`,
    what: `1 GB/s in messages of 1 MiB through the promise door in mode auto, ${fabric}`,
    parameters: { fabric, sizes: [MIB], seconds: 2 },
    entries: [{ name: 'await', program: 'event-loop-delay' }],
    targets: [target.eventLoopDelay, target.gigabyte],
    rounds: 3,
  })),
];

const MANY_ADDRESSES = 1000;
const MANY_ENDPOINTS = 256;

/** @type {Case[]} */
const scale = [
  ...['net', 'rxm'].map((fabric) => ({
    name: `scale/addresses-${fabric}`,
    what: `64 B ping-pong with ${MANY_ADDRESSES} peers in the address vector, ${fabric}`,
    parameters: { fabric, sizes: [64], seconds: SHORT },
    entries: [1, MANY_ADDRESSES].map((addresses) => ({
      name: `${addresses} peers`,
      program: 'batch-pingpong',
      parameters: { addresses },
    })),
    targets: [target.latency(`${MANY_ADDRESSES} peers`, '1 peers', 1.1)],
  })),
  ...['shm', 'net'].map((fabric) => ({
    name: `scale/endpoints-${fabric}`,
    what: `64 B ping-pong with ${MANY_ENDPOINTS} endpoints in each process, ${fabric}`,
    parameters: { fabric, sizes: [64], seconds: SHORT },
    entries: ['batch', 'await'].flatMap((door) =>
      [1, MANY_ENDPOINTS].map((endpoints) => ({
        name: `${door}, ${endpoints} endpoints`,
        program: `${door}-pingpong`,
        parameters: { endpoints },
      })),
    ),
    targets: ['batch', 'await'].map((door) =>
      target.latency(`${door}, ${MANY_ENDPOINTS} endpoints`, `${door}, 1 endpoints`, 1.1),
    ),
  })),
];

const FOOTPRINT = { endpoints: 16, addresses: 50_000 };

/** @type {Case[]} */
const footprint = ['shm', 'net', 'rxm'].map((fabric) => ({
  name: `scale/footprint-${fabric}`,
  what: `what each of ${FOOTPRINT.endpoints} endpoints takes, and each of ${FOOTPRINT.addresses} peers, ${fabric}`,
  parameters: { fabric, ...FOOTPRINT },
  quick: { endpoints: 4, addresses: 1000 },
  entries: [{ name: 'JavaScript', program: 'footprint' }],
  targets: fabric === 'shm' ? target.ENDPOINT_FOOTPRINT : [...target.ENDPOINT_FOOTPRINT, ...target.PEER_FOOTPRINT],
  rounds: 3,
}));

/** @type {Case[]} */
const opening = ['shm', 'net', 'rxm'].flatMap((fabric) =>
  ['endpoint', 'set'].map((what) => ({
    name: `open-close/${what}-${fabric}`,
    what: `opening and closing ${what === 'set' ? 'fabric, domain, queues and endpoint' : 'an endpoint'}, ${fabric}`,
    parameters: { fabric, what, seconds: SHORT },
    entries: [
      { name: 'C', program: 'c-open-close' },
      { name: 'JavaScript', program: 'open-close' },
    ],
    targets: [target.opening(what)],
  })),
);

const OURS_ON_NET = 'await, net';

/** @type {Case[]} */
const field = [
  {
    name: 'peers/latency',
    what: 'ping-pong: ours and what else a Node user could take',
    parameters: { sizes: ALL_LATENCY, seconds: SWEEP },
    quick: { sizes: FEW_SIZES },
    entries: [...oursEverywhere('pingpong'), ...peers('pingpong')],
    targets: peers('pingpong').map(({ name }) => ({ ...target.latency(OURS_ON_NET, name), sizes: [64] })),
    rounds: 3,
  },
  {
    name: 'peers/rate',
    what: '8 B messages, 64 in flight: ours and what else a Node user could take',
    parameters: { sizes: [8], seconds: SHORT, window: 64 },
    entries: [...oursEverywhere('window'), ...peers('window')],
    targets: peers('window').map(({ name }) => target.rate(OURS_ON_NET, name)),
    rounds: 3,
  },
  {
    name: 'peers/bandwidth',
    what: 'windows of 64 messages: ours and what else a Node user could take',
    parameters: { sizes: ALL_BANDWIDTH, seconds: SWEEP, window: 64 },
    quick: { sizes: FEW_SIZES, window: 8 },
    entries: [...oursEverywhere('window'), ...peers('window')],
    targets: [],
    rounds: 3,
  },
];

/** In the order in which they run. */
export const cases = [
  ...latencies,
  ...bandwidths,
  ...rates,
  ...writes,
  ...memory,
  ...eventLoop,
  ...scale,
  ...footprint,
  ...opening,
  ...field,
];
