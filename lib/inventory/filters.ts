/** The filters of fi_info(1), as hints and as a query of fi_getinfo(3). */
import { ADDRESS_FORMATS, CAPABILITIES, ENDPOINT_TYPES, MODES } from '../constants.js';
import type { Hints, InfoQuery } from '../info.js';

/** What may be listed; each as fi_info(1) has it. */
export interface InventoryFilters {
  /** The address of this end. */
  readonly source?: string;
  /** The address of the peer. */
  readonly node?: string;
  readonly port?: string;
  /** Names of capabilities with `|` between them; case does not matter, nor does a missing `FI_`. */
  readonly caps?: string;
  readonly mode?: string;
  readonly endpointType?: string;
  readonly domain?: string;
  readonly fabric?: string;
  readonly addressFormat?: string;
  readonly provider?: string;
}

/** A filter as fi_getinfo(3) gets it. */
export interface FilterQuery {
  /** Undefined without a filter: everything is listed then. */
  readonly hints: Hints | undefined;
  readonly query: InfoQuery;
}

const EVERY_MODE = 2n ** 64n - 1n;
/** Every bit but those of FI_MR_BASIC and FI_MR_SCALABLE, which mean something else together with others. */
const EVERY_MR_MODE = 0xff_ff_ff_fcn;

/** What fi_info hands to fi_getinfo(3) for these filters. @throws RangeError for a name that libfabric does not have. */
export function filterQuery(filters: InventoryFilters): FilterQuery {
  const { source, node, port, caps, mode, endpointType, domain, fabric, addressFormat, provider } = filters;
  const given = [caps, mode, endpointType, domain, fabric, addressFormat, provider];
  const query: InfoQuery = { node: source ?? node, service: port, flags: source === undefined ? 0n : ['FI_SOURCE'] };
  if (given.every((filter) => filter === undefined)) return { hints: undefined, query };
  const hints: Hints = {
    mode: mode === undefined ? EVERY_MODE : readFlags('mode', mode, MODES),
    domainAttr: { mode: EVERY_MODE, mrMode: EVERY_MR_MODE, ...(domain !== undefined && { name: domain }) },
    ...(caps !== undefined && { caps: readFlags('caps', caps, CAPABILITIES) }),
    ...(endpointType !== undefined && {
      epAttr: { type: readName('ep_type', endpointType, ENDPOINT_TYPES, 'FI_EP_') },
    }),
    ...(addressFormat !== undefined && {
      addrFormat: readName('addr_format', addressFormat, ADDRESS_FORMATS, 'FI_'),
    }),
    fabricAttr: { provName: provider, name: fabric },
  };
  return { hints, query };
}

function readFlags(filter: string, text: string, table: Readonly<Record<string, bigint>>): bigint {
  return text.split('|').reduce((bits, name) => bits | table[readName(filter, name, table, 'FI_')]!, 0n);
}

function readName<T extends object>(filter: string, text: string, table: T, prefix: string): keyof T & string {
  const wanted = text.trim().toUpperCase();
  const name = [wanted, prefix + wanted].find((candidate) => Object.hasOwn(table, candidate));
  if (name !== undefined) return name as keyof T & string;
  throw new RangeError(`${filter}: "${text}" is none of ${Object.keys(table).join(', ')}`);
}
