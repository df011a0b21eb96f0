/** Why fi_getinfo(3), which says -61 at best, does not list a provider. */
import { getInfo, type Info } from '../info.js';
import { absence, hidingFilter, KNOWN_PROVIDERS, type Rejection } from '../select.js';
import { filterQuery, type InventoryFilters } from './filters.js';

/** How fi_info(1) calls each filter. */
const OPTION_OF: Record<keyof InventoryFilters, string> = {
  source: '-s',
  node: '-n',
  port: '-P',
  caps: '-c',
  mode: '-m',
  endpointType: '-t',
  domain: '-d',
  fabric: '-f',
  addressFormat: '-a',
  provider: '-p',
};

const providerOf = (info: Info): string => info.fabricAttr.provName ?? '';

/** Each provider that is known, and not among `listed`, with the reason. */
export function notListed(filters: InventoryFilters, listed: readonly Info[]): Rejection[] {
  const told = new Set(listed.map(providerOf));
  const found: Rejection[] = [];
  for (const info of getInfo()) {
    const provider = providerOf(info);
    if (told.has(provider)) continue;
    told.add(provider);
    found.push({ provider, protocol: String(info.epAttr.protocol), reason: excludedBy(provider, filters) });
  }
  const asked = filters.provider === undefined ? [] : [filters.provider];
  const present = [...told].flatMap((name) => name.split(';'));
  const builtIn = getInfo(undefined, { flags: ['FI_PROV_ATTR_ONLY'] })
    .map(providerOf)
    .filter(isNoHook);
  for (const provider of new Set([...asked, ...builtIn, ...KNOWN_PROVIDERS])) {
    if (told.has(provider) || present.includes(provider)) continue;
    const isIdle = builtIn.includes(provider) && hidingFilter(provider) === undefined;
    found.push({
      provider,
      reason: isIdle ? 'built in, but it finds no device or layer to work on' : absence(provider),
    });
  }
  // What was asked for comes first.
  return found.sort((one, other) => Number(asked.includes(other.provider)) - Number(asked.includes(one.provider)));
}

const isNoHook = (provider: string): boolean => !provider.startsWith('ofi_hook');

/** Which filters keep a provider away that is there: each is tried alone. */
function excludedBy(provider: string, filters: InventoryFilters): string {
  const fits = (only: InventoryFilters): boolean => {
    const { hints, query } = filterQuery({ ...only, provider });
    return getInfo(hints, query).some((info) => providerOf(info) === provider);
  };
  const given = (Object.entries(filters) as [keyof InventoryFilters, string][]).filter(
    ([name, value]) => (value as string | undefined) !== undefined && name !== 'provider',
  );
  const excluding = given.filter(([name, value]) => {
    const needs = name === 'port' ? addressOf(filters) : {};
    return !fits({ ...needs, [name]: value });
  });
  const named = filters.provider !== undefined && !goesBy(provider, filters.provider);
  const reasons = [
    ...(named ? [`-p ${filters.provider}`] : []),
    ...excluding.map(([name, value]) => `${OPTION_OF[name]} ${value}`),
  ];
  if (reasons.length > 0) return `excluded by ${reasons.join(', and by ')}`;
  return `has each of ${given.map(([name, value]) => `${OPTION_OF[name]} ${value}`).join(', ')}, but not together`;
}

/** A port means something with its address only. */
function addressOf({ source, node }: InventoryFilters): InventoryFilters {
  return { ...(source !== undefined && { source }), ...(node !== undefined && { node }) };
}

/** Whether a name means this provider: fi_getinfo(3) takes the layer or the core of a layered one too. */
function goesBy(provider: string, name: string): boolean {
  return provider === name || provider.split(';').includes(name);
}
