/** What libfabric has on this host: fi_info(1), for programs. */
import { hostname } from 'node:os';
import { getInfo, withHidden, type Info } from '../info.js';
import { libraryInfo } from '../library.js';
import type { Rejection } from '../select.js';
import { deviceOf, type InterfaceDevice } from './device.js';
import { filterQuery, type InventoryFilters } from './filters.js';
import { notListed } from './not-listed.js';

/** An interface, with the device that it is on. */
export interface InventoryInterface extends Info {
  readonly device?: InterfaceDevice;
}

/** The name of the format; it changes when a reader would have to. */
export const INVENTORY_FORMAT = 'node-libfabric/inventory/1';

/** What one host has. */
export interface Inventory {
  readonly schema: typeof INVENTORY_FORMAT;
  readonly host: string;
  readonly libfabric: { readonly version: string; readonly path: string };
  readonly filters: InventoryFilters;
  /** In libfabric's own order, best first. */
  readonly interfaces: readonly InventoryInterface[];
  /** Every provider that is known and has no interface here. */
  readonly notListed: readonly Rejection[];
}

/**
 * Lists the interfaces that pass the filters, and says why the other providers have none.
 *
 * @throws RangeError for a name in a filter that libfabric does not have, FabricError when libfabric fails.
 */
export function takeInventory(filters: InventoryFilters = {}): Inventory {
  const { hints, query } = filterQuery(filters);
  const listed = getInfo(hints, query);
  const { version, path } = libraryInfo();
  return {
    schema: INVENTORY_FORMAT,
    host: hostname(),
    libfabric: { version, path },
    filters,
    interfaces: listed.map((info) => {
      const device = deviceOf(info);
      return device === undefined ? info : withHidden({ ...info, device }, info.raw);
    }),
    notListed: notListed(filters, listed),
  };
}
