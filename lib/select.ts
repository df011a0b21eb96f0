/** Which provider to use, and why not the others. */
import { readdirSync } from 'node:fs';
import { ERRORS } from './constants.js';
import { FabricError, show } from './errors.js';
import { getInfo, type Hints, type Info, type InfoQuery } from './info.js';
import { libraryInfo } from './library.js';

/** What {@link select} shall choose from. */
export interface SelectOptions extends Pick<InfoQuery, 'node' | 'service'> {
  /** Only this provider will do. */
  readonly require?: string | undefined;
  /** Providers to put first, best first, where they are usable. */
  readonly prefer?: string | readonly string[] | undefined;
  /** Providers not to use. */
  readonly exclude?: string | readonly string[] | undefined;
  /** What the interface has to offer. @defaultValue reliable datagrams with messages and tags */
  readonly hints?: Hints | undefined;
}

/** A provider that was not chosen. */
export interface Rejection {
  readonly provider: string;
  readonly protocol?: string;
  readonly reason: string;
}

/** What {@link select} chose. */
export interface Selection {
  readonly info: Info;
  /** Why this one. */
  readonly reason: string;
  /** Everything that is usable, best first; `info` is the first. */
  readonly candidates: readonly Info[];
  /** Every provider that was not chosen, with the reason. */
  readonly rejected: readonly Rejection[];
}

/** What {@link Endpoint} can use: it supplies contexts and registers memory by itself. */
const DEFAULT_HINTS = {
  caps: ['FI_MSG', 'FI_TAGGED'],
  mode: ['FI_CONTEXT', 'FI_CONTEXT2'],
  epAttr: { type: 'FI_EP_RDM' },
  domainAttr: {
    threading: 'FI_THREAD_DOMAIN',
    mrMode: ['FI_MR_LOCAL', 'FI_MR_ALLOCATED', 'FI_MR_PROV_KEY', 'FI_MR_VIRT_ADDR'],
  },
} as const satisfies Hints;

/** Providers that users ask for and that may be missing altogether, best first. */
const KNOWN_PROVIDERS = ['efa', 'verbs', 'cxi', 'psm3', 'opx', 'ucx'];

const asList = (value: string | readonly string[] | undefined, name: string): readonly string[] => {
  const list = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) {
    throw new TypeError(
      `options.${name}: expected a provider's name or an array of them, not ${show(value)}`,
    );
  }
  return list;
};

const providerOf = (info: Info): string => info.fabricAttr.provName ?? '';

/** `'tcp'` names `'tcp'` and its layers' core only where it stands alone: `'tcp;ofi_rxm'` is another provider. */
const isProvider = (info: Info, name: string): boolean => providerOf(info) === name;

/**
 * Chooses an interface: libfabric's own order, best first, with efa before everything.
 *
 * @throws FabricError `FI_ENODATA` when nothing is usable, or what is required is not; its hint says why, provider by
 * provider.
 */
export function select(options: SelectOptions = {}): Selection {
  const prefer = asList(options.prefer, 'prefer');
  const exclude = asList(options.exclude, 'exclude');
  if (options.require !== undefined && typeof options.require !== 'string') {
    throw new TypeError(
      `options.require: expected a provider's name, not ${show(options.require)}`,
    );
  }
  const hints = mergeHints(options.hints);
  const query = { node: options.node, service: options.service };
  const usable = getInfo(hints, query);
  const order = [...prefer, 'efa'];
  const rank = (info: Info): number => {
    const index = order.indexOf(providerOf(info));
    return index < 0 ? order.length : index;
  };
  // Array.prototype.sort is stable: libfabric's order stays within a rank.
  const candidates = usable
    .filter((info) => !exclude.includes(providerOf(info)))
    .filter((info) => options.require === undefined || isProvider(info, options.require))
    .sort((a, b) => rank(a) - rank(b));
  const [info] = candidates;
  const rejected = rejections(info, usable, { ...options, exclude, hints });
  if (info === undefined) throw nothingUsable(options.require, rejected);
  return { info, reason: reasonFor(info, options.require, prefer), candidates, rejected };
}

function reasonFor(info: Info, required: string | undefined, prefer: readonly string[]): string {
  const provider = providerOf(info);
  if (provider === required) return `${provider} was required`;
  if (prefer.includes(provider)) return `${provider} was preferred`;
  if (provider === 'efa') return 'efa comes before every other provider';
  return `${provider} is the first usable provider in libfabric's order`;
}

function nothingUsable(required: string | undefined, rejected: readonly Rejection[]): FabricError {
  const reasons = rejected.map(({ provider, reason }) => `${provider}: ${reason}`);
  const subject =
    required === undefined ? 'no provider is usable' : `provider ${required} is not usable`;
  const why = rejected.find(({ provider }) => provider === required)?.reason ?? reasons.join('; ');
  return new FabricError(`${subject}: ${why}`, {
    errno: ERRORS.FI_ENODATA,
    syscall: 'fi_getinfo',
    hint: reasons.join('; '),
  });
}

interface RejectionContext extends SelectOptions {
  readonly exclude: readonly string[];
  readonly hints: Hints;
}

/** Each provider that was not chosen, once per protocol, with the first reason that applies. */
function rejections(
  chosen: Info | undefined,
  usable: readonly Info[],
  context: RejectionContext,
): Rejection[] {
  const everything = getInfo();
  const found: Rejection[] = [];
  const told = new Set(chosen === undefined ? [] : [providerOf(chosen)]);
  const tell = (info: Info, reason: string): void => {
    const provider = providerOf(info);
    if (told.has(provider)) return;
    told.add(provider);
    found.push({ provider, protocol: String(info.epAttr.protocol), reason });
  };
  for (const info of usable) {
    const provider = providerOf(info);
    if (context.exclude.includes(provider)) {
      tell(info, 'excluded');
    } else if (context.require !== undefined && provider !== context.require) {
      tell(info, `${context.require} was required`);
    } else if (chosen !== undefined) {
      tell(info, `usable, but comes after ${providerOf(chosen)}`);
    }
  }
  for (const info of everything) {
    if (!told.has(providerOf(info))) tell(info, blockingHint(providerOf(info), context));
  }
  const missing = [...(context.require === undefined ? [] : [context.require]), ...KNOWN_PROVIDERS];
  for (const provider of missing) {
    if (told.has(provider)) continue;
    told.add(provider);
    found.push({ provider, reason: absence(provider) });
  }
  return found;
}

/** Which of the hints keep a provider away that is there: each is tried alone. */
function blockingHint(provider: string, { hints, node, service }: RejectionContext): string {
  const fits = (only: Hints, query: InfoQuery = {}): boolean =>
    getInfo({ ...only, fabricAttr: { provName: provider } }, query).some((info) =>
      isProvider(info, provider),
    );
  const blocking = (Object.entries(hints) as [keyof Hints, unknown][])
    .filter(([name, value]) => name !== 'fabricAttr' && !fits({ [name]: value }))
    .map(([name, value]) => describeHint(name, value));
  if (blocking.length > 0) return `does not offer ${blocking.join(', nor ')}`;
  if (node !== undefined && !fits({}, { node, service })) return `cannot reach ${node}`;
  return 'does not fit the hints together';
}

function describeHint(name: string, value: unknown): string {
  if (name === 'epAttr') return `endpoint type ${String((value as Hints['epAttr'])?.type)}`;
  return Array.isArray(value) ? `${name} ${value.join(' | ')}` : name;
}

/** Why libfabric lists nothing for a provider. */
function absence(provider: string): string {
  const [core = provider] = provider.split(';');
  if (isFiltered(core)) return `hidden by FI_PROVIDER=${process.env['FI_PROVIDER'] ?? ''}`;
  const builtIn = getInfo(undefined, { flags: 'FI_PROV_ATTR_ONLY' }).some((info) =>
    isProvider(info, core),
  );
  const { version, path } = libraryInfo();
  if (!builtIn) return `not built into libfabric ${version} (${path})`;
  if (provider === 'efa' && !hasEfaDevice())
    return 'no device is bound to the efa driver (/sys/bus/pci/drivers/efa)';
  return 'built in, but it finds no usable device';
}

/** Whether FI_PROVIDER, a list of providers or with a leading `^` of those to leave out, hides one (fabric(7)). */
function isFiltered(provider: string): boolean {
  const filter = process.env['FI_PROVIDER'] ?? '';
  if (filter === '') return false;
  const excludes = filter.startsWith('^');
  const listed = filter.replace('^', '').split(',').includes(provider);
  return excludes === listed;
}

/** Whether the kernel shows a device of the efa driver. */
function hasEfaDevice(): boolean {
  try {
    return readdirSync('/sys/bus/pci/drivers/efa').some((entry) => /^[0-9a-f]{4}:/.test(entry));
  } catch {
    return false;
  }
}

/** The caller's hints over the defaults, group by group. */
function mergeHints(given: Hints | undefined): Hints {
  if (given === undefined) return DEFAULT_HINTS;
  return {
    ...DEFAULT_HINTS,
    ...given,
    epAttr: { ...DEFAULT_HINTS.epAttr, ...given.epAttr },
    domainAttr: { ...DEFAULT_HINTS.domainAttr, ...given.domainAttr },
  };
}
