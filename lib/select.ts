/** Which provider to use, and why not the others. */
import { accessSync, constants } from 'node:fs';
import { ERRORS } from './constants.js';
import { FabricError, show } from './errors.js';
import { getInfo, withHidden, type Hints, type Info, type InfoQuery } from './info.js';
import { libraryFile } from './library-file.js';
import { librarySettings } from './library-settings.js';
import { libraryInfo } from './library.js';
import { allowsProvider } from './provider-filter.js';
import { namesIn, sysfs } from './sysfs.js';

/** What {@link select} shall choose from. */
export interface SelectOptions extends Pick<InfoQuery, 'node' | 'service' | 'flags'> {
  /** Only this provider will do. */
  readonly require?: string | undefined;
  /** Providers to put first, best first, where they are usable. */
  readonly prefer?: string | readonly string[] | undefined;
  /**
   * Where the peer is. On the same host shared memory is better than any software over sockets; a peer elsewhere cannot
   * be reached with it.
   * @defaultValue `'anywhere'`
   */
  readonly peer?: 'anywhere' | 'same-host' | undefined;
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

/** @internal Providers that users ask for and that may be missing altogether. */
export const KNOWN_PROVIDERS = ['efa', 'verbs', 'cxi', 'psm3', 'opx', 'ucx'];
/** Providers that need both ends on one host. */
const SHARED_MEMORY_PROVIDERS = ['shm', 'sm2'];
const PEERS: readonly unknown[] = [undefined, 'anywhere', 'same-host'];
/** Providers that do in software, over sockets, what others do in hardware or shared memory. */
const SOFTWARE_PROVIDERS = ['tcp', 'net', 'udp', 'sockets'];

const asList = (value: string | readonly string[] | undefined, name: string): readonly string[] => {
  const list = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) {
    throw new TypeError(`options.${name}: expected a provider's name or an array of them, not ${show(value)}`);
  }
  return list;
};

const providerOf = (info: Info): string => info.fabricAttr.provName ?? '';

/** Hardware stays in libfabric's list when its cable does not. Software hangs on the kernel's routes instead. */
const isPortDown = (info: Info): boolean =>
  info.nic?.linkAttr.state === 'FI_LINK_DOWN' && !SOFTWARE_PROVIDERS.includes(coreOf(providerOf(info)));

/** The provider without its layers: `'tcp'` of `'tcp;ofi_rxm'`. */
const coreOf = (provider: string): string => provider.split(';')[0]!;

/** Lower is better; libfabric's own order decides between equals. */
function rankOf(info: Info, prefer: readonly string[], peer: SelectOptions['peer']): number {
  const provider = providerOf(info);
  const preferred = prefer.indexOf(provider);
  if (preferred >= 0) return preferred;
  const core = coreOf(provider);
  const classes =
    peer === 'same-host' ? ['efa', 'hardware', 'shm', 'software'] : ['efa', 'hardware', 'software', 'shm'];
  let kind = 'hardware';
  if (core === 'efa') kind = 'efa';
  else if (SHARED_MEMORY_PROVIDERS.includes(core)) kind = 'shm';
  else if (SOFTWARE_PROVIDERS.includes(core)) kind = 'software';
  return prefer.length + classes.indexOf(kind);
}

/**
 * Chooses an interface: efa before everything, other hardware before software, else libfabric's own order.
 *
 * @throws FabricError `FI_ENODATA` when nothing is usable, or what is required is not; its hint says why, provider by
 * provider.
 */
export function select(options: SelectOptions = {}): Selection {
  const prefer = asList(options.prefer, 'prefer');
  const exclude = asList(options.exclude, 'exclude');
  if (options.require !== undefined && typeof options.require !== 'string') {
    throw new TypeError(`options.require: expected a provider's name, not ${show(options.require)}`);
  }
  if (!PEERS.includes(options.peer)) {
    throw new TypeError(`options.peer: expected 'anywhere' or 'same-host', not ${show(options.peer)}`);
  }
  const hints = mergeHints(options.hints);
  const query = { node: options.node, service: options.service, flags: options.flags };
  const usable = getInfo(hints, query).map(withCheckedKeys);
  // Array.prototype.sort is stable: libfabric's order stays within a rank.
  const candidates = usable
    .filter((info) => !isPortDown(info))
    .filter((info) => !exclude.includes(providerOf(info)))
    .filter((info) => options.require === undefined || providerOf(info) === options.require)
    .sort((a, b) => rankOf(a, prefer, options.peer) - rankOf(b, prefer, options.peer));
  const [info] = candidates;
  const rejected = rejections(info, usable, { ...options, exclude, hints });
  if (info === undefined) throw nothingUsable(options.require, usable, rejected);
  return { info, reason: reasonFor(info, options, prefer), candidates, rejected };
}

/**
 * With FI_MR_VIRT_ADDR, the shm provider writes to a peer's memory without asking whether the key is valid: a region that
 * the peer has closed would be written to all the same. Without it the peer's provider checks, and knows the first buffer of
 * a region only. {@link getInfo} leaves the choice to the caller.
 */
function withCheckedKeys(info: Info): Info {
  if (providerOf(info) !== 'shm') return info;
  const mrMode = info.domainAttr.mrMode.filter((mode) => mode !== 'FI_MR_VIRT_ADDR');
  return withHidden({ ...info, domainAttr: { ...info.domainAttr, mrMode, mrIovLimit: 1 } }, info.raw);
}

function reasonFor(info: Info, { require: required, peer }: SelectOptions, prefer: readonly string[]): string {
  const provider = providerOf(info);
  if (provider === required) return `${provider} was required`;
  if (prefer.includes(provider)) return `${provider} was preferred`;
  if (provider === 'efa') return 'efa comes before every other provider';
  if (provider === 'shm' && peer === 'same-host') return 'shm is the best between processes of one host';
  return `${provider} is the first usable provider in libfabric's order`;
}

function nothingUsable(
  required: string | undefined,
  usable: readonly Info[],
  rejected: readonly Rejection[],
): FabricError {
  const details = { errno: ERRORS.FI_ENODATA, syscall: 'fi_getinfo' };
  if (required === undefined) {
    const reasons = rejected.map(({ provider, reason }) => `${provider}: ${reason}`);
    return new FabricError(`no provider is usable: ${reasons.join('; ')}`, details);
  }
  const reason = rejected.find(({ provider }) => provider === required)?.reason ?? 'it was excluded';
  const others = [...new Set(usable.map(providerOf))].join(', ');
  const hint = `Usable here: ${others === '' ? 'nothing' : others}.`;
  return new FabricError(`provider ${required} is not usable: ${reason}. ${hint}`, { ...details, hint });
}

interface RejectionContext extends SelectOptions {
  readonly exclude: readonly string[];
  readonly hints: Hints;
}

/** Each provider that was not chosen, once per protocol, with the first reason that applies. */
function rejections(chosen: Info | undefined, usable: readonly Info[], context: RejectionContext): Rejection[] {
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
    } else if (usable.filter((other) => providerOf(other) === provider).every(isPortDown)) {
      tell(info, `the port of ${info.nic?.deviceAttr.name ?? 'its device'} is down`);
    } else if (context.require !== undefined && provider !== context.require) {
      tell(info, `${context.require} was required`);
    } else if (chosen !== undefined) {
      tell(info, `usable, but comes after ${providerOf(chosen)}`);
    }
  }
  for (const info of everything) {
    if (!told.has(providerOf(info))) tell(info, blockingHint(providerOf(info), context));
  }
  const isHidden = (provider: string): boolean => hidingFilter(provider) !== undefined;
  const hidden = [...SHARED_MEMORY_PROVIDERS, ...SOFTWARE_PROVIDERS].filter(isHidden);
  const missing = [...(context.require === undefined ? [] : [context.require]), ...KNOWN_PROVIDERS, ...hidden];
  for (const provider of missing) {
    if (told.has(provider)) continue;
    told.add(provider);
    found.push({ provider, reason: absence(provider) });
  }
  return found;
}

/** Which of the hints keep a provider away that is there: each is tried alone. */
function blockingHint(provider: string, { hints, node, service, flags }: RejectionContext): string {
  const fits = (only: Hints, query: InfoQuery = {}): boolean =>
    getInfo({ ...only, fabricAttr: { provName: provider } }, query).some((info) => providerOf(info) === provider);
  const blocking = (Object.entries(hints) as [keyof Hints, unknown][])
    .filter(([name, value]) => name !== 'fabricAttr' && !fits({ [name]: value }))
    .map(([name, value]) => describeHint(name, value));
  if (blocking.length > 0) return `does not offer ${blocking.join(', nor ')}`;
  if (node !== undefined && !fits({}, { node, service, flags })) return `cannot reach ${node}`;
  return 'does not fit the hints together';
}

function describeHint(name: string, value: unknown): string {
  if (name === 'epAttr') return `endpoint type ${String((value as Hints['epAttr'])?.type)}`;
  return Array.isArray(value) ? `${name} ${value.join(' | ')}` : name;
}

/** @internal The setting of FI_PROVIDER that keeps a provider away, and where it is; undefined where none does. */
export function hidingFilter(provider: string): string | undefined {
  const filter = librarySettings().get('FI_PROVIDER');
  return allowsProvider(filter?.value, provider) ? undefined : filter?.text;
}

/** @internal Why libfabric lists nothing for a provider. Providers without a device hide like those that are not built in. */
export function absence(provider: string): string {
  const core = coreOf(provider);
  const filter = hidingFilter(core);
  if (filter !== undefined) return `hidden by ${filter}`;
  const { version, path } = libraryInfo();
  // Without a device, old ones deny that they have it.
  if (core === 'efa' && !libraryFile().hasEfa) return `libfabric ${version} was built without it: ${path}`;
  const efa = core === 'efa' ? efaAbsence() : undefined;
  if (efa !== undefined) return efa;
  return `libfabric ${version} does not list it: not built into ${path}, or it finds no device`;
}

/** What is wrong on the way from the PCI bus to libfabric's efa provider, as far as it can be seen from outside. */
function efaAbsence(): string | undefined {
  const driver = `${sysfs()}/bus/pci/drivers/efa`;
  if (!namesIn(driver).some((entry) => /^[0-9a-f]{4}:/.test(entry))) {
    return `no device is bound to the efa driver (${driver})`;
  }
  const chosen = librarySettings().get('FI_EFA_IFACE');
  const wanted = chosen?.value ?? 'all';
  const devices = namesIn(`${sysfs()}/class/infiniband`);
  if (!wanted.startsWith('all') && !devices.some((device) => wanted.split(',').includes(device))) {
    return `${chosen!.text} names none of the devices ${devices.join(', ')}`;
  }
  for (const name of namesIn(`${sysfs()}/class/infiniband_verbs`).filter((entry) => entry.startsWith('uverbs'))) {
    const node = `/dev/infiniband/${name}`;
    try {
      accessSync(node, constants.R_OK | constants.W_OK);
    } catch (error) {
      return `the device cannot be opened: ${node} (${(error as NodeJS.ErrnoException).code})`;
    }
  }
  return undefined;
}

/** The caller's hints over the defaults, group by group. */
function mergeHints(given: Hints | undefined): Hints {
  if (given === undefined) return DEFAULT_HINTS;
  // With it, efa would want a prefix for its other endpoints too.
  const isDatagram = given.epAttr?.type === 'FI_EP_DGRAM';
  return {
    ...DEFAULT_HINTS,
    ...(isDatagram && { mode: [...DEFAULT_HINTS.mode, 'FI_MSG_PREFIX'] }),
    ...given,
    epAttr: { ...DEFAULT_HINTS.epAttr, ...given.epAttr },
    domainAttr: { ...DEFAULT_HINTS.domainAttr, ...given.domainAttr },
  };
}
