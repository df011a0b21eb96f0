/** An examination as plain data, with a schema that is published. */
import { z } from 'zod';
import { GENERATIONS } from './checks/pci.js';
import type { CheckResult } from './check.js';
import { matchLog } from './log-signatures.js';
import { ROLE_NAMES, type Installer } from './survey/installer.js';
import type { Examination, Verdict } from './examine.js';

/** The name of the format; it changes when a reader would have to. */
export const REPORT_FORMAT = 'fabric-doctor/1';

/** A log may be one line. */
const SHOWN_TEXT = 200;

const status = z.enum(['pass', 'info', 'warn', 'fail', 'skip']);
const transport = z.strictObject({
  transport: z.string(),
  usesEfa: z.boolean(),
  why: z.string(),
  confidence: z.enum(['observed', 'predicted']),
});
const check = z.strictObject({
  id: z.string(),
  layer: z.string(),
  title: z.string(),
  status,
  message: z.string(),
  evidence: z.array(z.strictObject({ source: z.string(), value: z.string() })),
  /** For where this was run: on a host or in a container. */
  fix: z.array(z.string()),
  references: z.array(z.string()),
  blockedBy: z.string().optional(),
});

/** What `--json` prints. */
export const reportSchema = z.strictObject({
  format: z.literal(REPORT_FORMAT),
  version: z.string(),
  time: z.string(),
  node: z.string(),
  verdict: z.enum(['usable', 'degraded', 'fallback', 'unusable', 'not-applicable']),
  exitCode: z.number().int(),
  summary: z.string(),
  firstFailure: z.string().nullable(),
  host: z.strictObject({
    instanceType: z.string().nullable(),
    instanceId: z.string().nullable(),
    arch: z.string().nullable(),
    kernel: z.string().nullable(),
    container: z.string().nullable(),
    /** By what the container is known. */
    sign: z.string().nullable(),
  }),
  /** Why libfabric was not asked, where it was not. */
  notAsked: z.string().nullable(),
  /** Of --log. */
  log: z
    .strictObject({
      name: z.string(),
      faults: z.array(
        z.strictObject({
          id: z.string(),
          line: z.number().int(),
          text: z.string(),
          meaning: z.string(),
          fix: z.array(z.string()),
          checks: z.array(z.string()),
          references: z.array(z.string()),
        }),
      ),
    })
    .nullable(),
  devices: z.array(
    z.strictObject({
      address: z.string(),
      id: z.string(),
      generation: z.string().nullable(),
      name: z.string().nullable(),
      uverbs: z.string().nullable(),
      numa: z.number().nullable(),
      driver: z.string().nullable(),
      peerToPeer: z.string().nullable(),
    }),
  ),
  software: z.strictObject({
    installer: z.string().nullable(),
    driver: z.string().nullable(),
    rdmaCore: z.string().nullable(),
    libfabric: z.strictObject({ path: z.string(), version: z.string().nullable(), hasEfa: z.boolean() }).nullable(),
    plugin: z.strictObject({ path: z.string(), version: z.string().nullable() }).nullable(),
    openmpi: z.array(z.string()),
    utilities: z.array(z.string()),
    /** Packages in the record of the EFA installer, by their parts. */
    recorded: z.partialRecord(z.enum(ROLE_NAMES), z.array(z.string())).nullable(),
  }),
  limits: z.strictObject({
    /** In bytes; `unlimited`, or null where not known. */
    lockedMemory: z.union([z.number(), z.literal('unlimited')]).nullable(),
    hugePages: z.number().nullable(),
  }),
  consumers: z.array(z.enum(['libfabric', 'nccl', 'mpi'])),
  prediction: z.strictObject({ libfabric: transport, nccl: transport, openmpi: transport }),
  checks: z.array(check),
});

/** What `--json` prints, as a type. */
export type Report = z.infer<typeof reportSchema>;

/** JSON Schema of {@link Report}, draft 7. */
export const reportJsonSchema = (): object => z.toJSONSchema(reportSchema, { target: 'draft-7' });

/** By verdict; `--strict` makes 1 of a warning, too. */
export const EXIT_CODES = {
  usable: 0,
  degraded: 1,
  fallback: 2,
  unusable: 2,
  'not-applicable': 3,
} as const satisfies Record<Verdict, number>;

/** What of the program's own life surrounds an examination. */
export interface Circumstances {
  readonly version: string;
  readonly time: Date;
  /** The node's name in a fleet. */
  readonly node: string;
  readonly isStrict?: boolean | undefined;
}

/** The examination as data. */
export function makeReport(examination: Examination, { version, time, node, isStrict }: Circumstances): Report {
  const { survey, results, verdict, summary, firstFailure, consumers, prediction } = examination;
  const { identity, devices, installer, modules, rdmaCore, selected, plugins, openmpi, utilities, limits } = survey;
  const isWarned = results.some((result) => result.status === 'warn' || result.status === 'fail');
  const plugin = plugins.find(({ isOnPath }) => isOnPath);
  return {
    format: REPORT_FORMAT,
    version,
    time: time.toISOString(),
    node,
    verdict,
    exitCode: verdict === 'usable' && isStrict === true && isWarned ? 1 : EXIT_CODES[verdict],
    summary,
    firstFailure: firstFailure?.check.id ?? null,
    host: {
      instanceType: identity.instanceType ?? null,
      instanceId: identity.instanceId ?? null,
      arch: identity.arch ?? null,
      kernel: identity.kernel ?? null,
      container: identity.container?.kind ?? null,
      sign: identity.container?.sign ?? null,
    },
    notAsked: survey.host.live?.notAsked ?? null,
    log: survey.options.log === undefined ? null : readFaults(survey.options.log),
    devices: devices.efa.map(({ address, device, numa, driver }) => {
      const rdma = devices.rdma.find((candidate) => candidate.address === address);
      return {
        address,
        id: `0x${device.toString(16)}`,
        generation: GENERATIONS[device]?.name ?? null,
        name: rdma?.name ?? null,
        uverbs: rdma?.uverbs ?? null,
        numa: numa ?? null,
        driver: driver ?? null,
        peerToPeer: rdma?.peerToPeer ?? null,
      };
    }),
    software: {
      installer: installer?.version ?? null,
      driver: modules.isLoaded('efa') ? (modules.running ?? 'in-tree') : null,
      rdmaCore: rdmaCore.version ?? null,
      libfabric:
        selected === undefined
          ? null
          : { path: selected.path, version: selected.version ?? null, hasEfa: selected.hasEfa },
      plugin: plugin === undefined ? null : { path: plugin.path, version: plugin.version ?? null },
      openmpi: openmpi.map(({ folder }) => folder),
      utilities,
      recorded: installer === undefined ? null : recordOf(installer),
    },
    limits: {
      lockedMemory: limits.lockedMemory === Infinity ? 'unlimited' : numberOf(limits.lockedMemory),
      hugePages: numberOf(limits.hugePages),
    },
    consumers: [...consumers],
    prediction,
    checks: results.map((result) => makeCheck(result, identity.container !== undefined)),
  };
}

function readFaults({ name, text: all }: { name: string; text: string }): NonNullable<Report['log']> {
  const faults = matchLog(all).map(({ signature: { id, meaning, fix, checks, references }, line, text }) => ({
    ...{ id, line, text: text.slice(0, SHOWN_TEXT), meaning },
    ...{ fix: [...fix], checks: [...checks], references: [...references] },
  }));
  return { name, faults };
}

const recordOf = ({ roles }: Installer): Report['software']['recorded'] =>
  Object.fromEntries(
    Object.entries(roles).map(([role, packages]) => [role, packages.map(({ name, version }) => `${name} ${version}`)]),
  );

const numberOf = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : value;

function makeCheck(result: CheckResult, isInContainer: boolean): Report['checks'][number] {
  const { check: asked, evidence, message, blockedBy } = result;
  const lines = result.fix ?? asked.fix;
  const isFaulty = result.status === 'fail' || result.status === 'warn';
  const fix = isInContainer ? (lines.container ?? lines.host) : lines.host;
  return {
    id: asked.id,
    layer: asked.layer,
    title: asked.title,
    status: result.status,
    message,
    evidence: [...evidence],
    fix: isFaulty ? [...fix] : [],
    references: [...asked.references],
    ...(blockedBy === undefined ? {} : { blockedBy }),
  };
}
