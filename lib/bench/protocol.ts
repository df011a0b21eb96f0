import { z } from 'zod';
import { BenchError } from './errors.js';

/**
 * The version of the handshake. Ends of different versions refuse each other with a sentence;
 * raise it with every change that an older end would misread.
 */
export const PROTOCOL_VERSION = 2;

/** The control port of node-libfabric. Not 47592: that one belongs to C's fi_pingpong. */
export const DEFAULT_PORT = 47593;

/** The largest message that can be asked for, so that a broken peer cannot ask for all memory. */
export const MAX_MESSAGE_BYTES = 1024 ** 3;

/** The most messages in flight that can be asked for. */
export const MAX_WINDOW = 65_536;

/** The most endpoints that each end can be asked to open. */
export const MAX_STREAMS = 64;

/** What a phase measures. */
export const PHASES = ['latency', 'bandwidth', 'bidirectional', 'rate'] as const;

/** What moves the data: fi_send(3), fi_tsend(3), fi_write(3), fi_read(3), and fi_writedata(3). */
export const OPERATIONS = ['msg', 'tagged', 'write', 'read', 'writedata'] as const;

/** Endpoint types by their short names. */
export const ENDPOINT_TYPES = ['rdm', 'msg', 'dgram'] as const;

/** How the promise door waits for completions; the batch door always spins. */
export const POLLS = ['spin', 'wait', 'auto'] as const;

const text = z.string().max(4096);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const address = z
  .string()
  .max(8192)
  .regex(/^(?:[0-9a-f]{2})+$/);

const candidateSchema = z.object({
  /** libfabric's name, such as `tcp;ofi_rxm`. */
  provider: text,
  /** What goes over the wire, such as `FI_PROTO_XNET`; ends match on it, never on the name alone. */
  protocol: text,
  protocolVersion: count,
  endpointType: text,
  /** Set where the fabric's name chooses the wire format: `efa` or `efa-direct`. */
  fabric: text.optional(),
  domains: z.array(text).max(256),
  /** Best first, as this end would use them on the way to the other. */
  addressFormats: z.array(text).min(1).max(16),
});

const rejectionSchema = z.object({
  provider: text,
  protocol: text.exactOptional(),
  reason: text,
});

const nullableText = text.nullable();

/** What the endpoints of a session have to be able to do. */
const wantsSchema = z.object({ endpointType: z.enum(ENDPOINT_TYPES), operation: z.enum(OPERATIONS) });

/** What RemoteRegion.toJSON() gives. */
const regionSchema = z.object({ address: text, key: text, length: count });

const hostSchema = z.object({
  name: text,
  bootId: nullableText,
  namespaces: z.object({
    pid: nullableText,
    mnt: nullableText,
    ipc: nullableText,
    net: nullableText,
  }),
  userId: z.number().int().nullable(),
  processors: nullableText,
});

/** The part of a hello that every version keeps, so that versions can refuse each other. */
const greetingSchema = z.object({
  type: z.literal('hello'),
  program: z.literal('node-libfabric-pingpong'),
  protocolVersion: z.number().int(),
});

const helloSchema = greetingSchema.extend({
  /** The version of libfabric that this end runs on. */
  libfabric: text,
  host: hostSchema,
  /** What the client wants; the server repeats it. */
  wants: wantsSchema,
  /** What this end can use, best first. */
  candidates: z.array(candidateSchema).max(256),
  /** What it could use, had it not been told to use a certain provider. */
  withheld: z.array(candidateSchema).max(256),
  /** What this end cannot use, and why. */
  rejected: z.array(rejectionSchema).max(256),
});

/** Why an end stops the session; FAILED is what is none of the other end's business. */
export const stopCodeSchema = z.enum([
  'BUSY',
  'MISMATCH',
  'NO_PROVIDER',
  'STALLED',
  'INTEGRITY',
  'TRANSFER_FAILED',
  'INTERRUPTED',
  'FAILED',
]);

/** Each message of the control channel, by its `type`. */
export const messages = {
  hello: helloSchema,
  /** Client to server: what to open. The names are the server's own. */
  plan: z.object({
    type: z.literal('plan'),
    provider: text,
    protocol: text,
    fabric: text.optional(),
    addressFormat: text,
    operation: z.enum(OPERATIONS),
    door: z.enum(['batch', 'await']),
    poll: z.enum(POLLS),
    /** Compare each message with what was sent, not only the first and the last ones. */
    verify: z.boolean(),
    /** How many endpoints each end opens. */
    streams: z.number().int().min(1).max(MAX_STREAMS),
    /** The largest size that will be measured: what each end allocates. */
    maxSize: z.number().int().min(1).max(MAX_MESSAGE_BYTES),
  }),
  /** Both ways: endpoints are open, or can be connected to. */
  ready: z.object({
    type: z.literal('ready'),
    /** fi_getname(3)'s bytes of each endpoint as hexadecimal digits; of a server with connections, where it listens. */
    addresses: z.array(address).min(1).max(MAX_STREAMS),
    /** The same for people. */
    dataAddress: text,
    /** The address of this end of the control connection. */
    controlAddress: text,
    provider: text,
    domain: text,
    transmitSize: count,
    receiveSize: count,
    maxMessageSize: count,
  }),
  /** Both ways: the endpoints know each other; memory that the other end may write and read, where it does. */
  linked: z.object({
    type: z.literal('linked'),
    writable: regionSchema.optional(),
    readable: regionSchema.optional(),
  }),
  /** Client to server: one phase of measurement follows. */
  start: z.object({
    type: z.literal('start'),
    phase: z.enum(PHASES),
    size: z.number().int().min(1).max(MAX_MESSAGE_BYTES),
    warmup: count,
    iterations: z.number().int().min(1),
    window: z.number().int().min(1).max(MAX_WINDOW),
  }),
  /** Server to client: receives are posted, send. */
  go: z.object({ type: z.literal('go') }),
  /** Client to server, where the server sees nothing of what happens to its memory: the phase goes on. */
  alive: z.object({ type: z.literal('alive') }),
  /** Both ways: everything of this phase was sent, received and completed here. */
  end: z.object({ type: z.literal('end'), sent: count, received: count }),
  /** Both ways: no phase follows. Endpoints are closed only after it. */
  done: z.object({ type: z.literal('done') }),
  /** Either way, at any time: the session is over, and why. */
  stop: z.object({
    type: z.literal('stop'),
    code: stopCodeSchema,
    message: text,
  }),
} as const;

/** The name of a control message. */
export type MessageType = keyof typeof messages;
/** A control message, as it was validated. */
export type Message<T extends MessageType> = z.infer<(typeof messages)[T]>;
/** One way for an endpoint of a host to talk to others. */
export type Candidate = z.infer<typeof candidateSchema>;
/** A provider that a host cannot use, and why. */
export type Rejection = Readonly<z.infer<typeof rejectionSchema>>;
/** What the endpoints of a session have to be able to do. */
export type Wants = z.infer<typeof wantsSchema>;
/** What moves the data. */
export type Operation = Wants['operation'];
/** An endpoint type by its short name. */
export type EndpointType = Wants['endpointType'];
/** How the promise door waits for completions. */
export type Poll = (typeof POLLS)[number];
/** What a phase measures. */
export type Phase = (typeof PHASES)[number];
/** What each end says about itself first. */
export type Hello = Message<'hello'>;

/** Checks a message against the schemas of the types that may come now. */
export function parseMessage<T extends MessageType>(received: unknown, ...types: readonly T[]): Message<T> {
  const type = types.find((candidate) => candidate === typeOf(received));
  if (type === undefined) {
    throw new BenchError(
      'MISMATCH',
      `the other end broke the protocol: "${typeOf(received)}" came where "${types.join('" or "')}" was due`,
    );
  }
  const parsed = messages[type].safeParse(received);
  if (parsed.success) return parsed.data as Message<T>;
  const issue = parsed.error.issues[0];
  throw new BenchError(
    'MISMATCH',
    `the other end broke the protocol: "${type}" has a wrong ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

/** The type that a message claims; empty when it claims none. */
export function typeOf(received: unknown): string {
  const isMessage = typeof received === 'object' && received !== null && 'type' in received;
  return isMessage && typeof received.type === 'string' ? received.type.slice(0, 64) : '';
}

/**
 * Checks the other end's first message: that it is a fabric-pingpong at all, then its version,
 * then the rest. Throws a BenchError `MISMATCH` that names both versions.
 */
export function parseHello(received: unknown): Hello {
  const greeting = greetingSchema.safeParse(received);
  if (!greeting.success) {
    throw new BenchError(
      'MISMATCH',
      "the other end does not speak fabric-pingpong's protocol: its first message is no hello",
    );
  }
  const theirs = greeting.data.protocolVersion;
  if (theirs !== PROTOCOL_VERSION) {
    throw new BenchError(
      'MISMATCH',
      `this end speaks version ${PROTOCOL_VERSION} of the pingpong protocol, the other end version ${theirs}`,
      { hint: 'install the same version of node-libfabric on both hosts' },
    );
  }
  return parseMessage(received, 'hello');
}
