/** What `fabric-pingpong --json` prints, as a schema that is published. */
import { z } from 'zod';
import { DOORS, TESTS } from './parameters.js';
import { ENDPOINT_TYPES, OPERATIONS, POLLS } from './protocol.js';

/** The name of the format; it changes when a reader would have to. */
export const REPORT_FORMAT = 'fabric-pingpong/1';

const count = z.number().int().min(0);
const microseconds = z.number().min(0).describe('µs');

const end = z.strictObject({
  host: z.string(),
  libfabric: z.string(),
  provider: z.string(),
  domain: z.string(),
  dataAddress: z.string(),
  controlAddress: z.string(),
});
const warning = z.strictObject({
  code: z.enum([
    'FALLBACK',
    'DATA_ADDRESS',
    'SIZE_SKIPPED',
    'WINDOW_LIMITED',
    'ONE_PROCESSOR',
    'COUNTERS_FLAT',
    'VERIFIED',
  ]),
  message: z.string(),
});
const latency = z.strictObject({
  min: microseconds,
  mean: microseconds,
  p50: microseconds,
  p90: microseconds,
  p99: microseconds,
  p999: microseconds,
  max: microseconds,
  iterations: count,
  warmup: count,
  complete: z.boolean(),
  histogram: z.strictObject({
    unit: z.literal('ns'),
    subBuckets: count,
    buckets: z.array(z.tuple([count.describe('from'), count.describe('samples')])),
  }),
  samples: z.array(microseconds).exactOptional(),
});
const bandwidth = z.strictObject({
  window: count,
  streams: count,
  windows: count,
  messages: count,
  bytes: count,
  milliseconds: z.number().min(0),
  megabytesPerSecond: z.number().min(0).describe('10⁶ bytes a second'),
  messagesPerSecond: z.number().min(0),
});

/** A PingpongResult. */
export const resultSchema = z.strictObject({
  provider: z.string(),
  protocol: z.string(),
  endpointType: z.string(),
  reason: z.string(),
  notUsed: z.array(z.strictObject({ provider: z.string(), protocol: z.string().exactOptional(), reason: z.string() })),
  warnings: z.array(warning),
  client: end,
  server: end,
  parameters: z.strictObject({
    host: z.string(),
    port: count,
    provider: z.string().exactOptional(),
    require: z.string().exactOptional(),
    endpointType: z.enum(ENDPOINT_TYPES),
    operation: z.enum(OPERATIONS),
    sizes: z.array(count),
    iterations: count.exactOptional(),
    time: count.exactOptional(),
    warmup: count.exactOptional(),
    window: count,
    streams: count,
    test: z.enum(TESTS).exactOptional(),
    door: z.enum(DOORS),
    poll: z.enum(POLLS),
    pin: z.union([z.literal('auto'), count]).exactOptional(),
    verify: z.boolean(),
    samples: z.boolean(),
    timeout: count,
  }),
  processor: count.exactOptional(),
  counters: z.array(z.strictObject({ device: z.string(), counter: z.string(), delta: z.number() })),
  expectation: z.strictObject({ verdict: z.enum(['typical', 'suspicious']), message: z.string() }).exactOptional(),
  measurements: z.array(
    z.strictObject({
      size: count,
      latency: latency.exactOptional(),
      bandwidth: bandwidth.exactOptional(),
      bidirectional: bandwidth.exactOptional(),
      rate: bandwidth.exactOptional(),
    }),
  ),
});

const error = z.strictObject({
  code: z.string(),
  exitCode: count,
  message: z.string(),
  hint: z.string().exactOptional(),
});
const envelope = { format: z.literal(REPORT_FORMAT), interrupted: z.boolean() };
const session = z.strictObject({
  peer: z.string(),
  host: z.string(),
  provider: z.string().exactOptional(),
  protocol: z.string().exactOptional(),
  processor: count.exactOptional(),
  phases: count,
  ok: z.boolean(),
  error: error.exactOptional(),
});

/** What `--json` prints: a result; a failure, with what was measured before it; or what a server has done. */
export const reportSchema = z.union([
  z.strictObject({ ...envelope, ok: z.literal(true), ...resultSchema.shape }),
  z.strictObject({ ...envelope, ok: z.literal(false), error, ...resultSchema.partial().shape }),
  z.strictObject({
    ...envelope,
    ok: z.boolean(),
    role: z.literal('server'),
    sessions: z.array(session),
    error: error.exactOptional(),
  }),
]);

/** What `--json` prints, as a type. */
export type Report = z.infer<typeof reportSchema>;

/** JSON Schema of {@link Report}, draft 7. */
export const reportJsonSchema = (): object => z.toJSONSchema(reportSchema, { target: 'draft-7' });
