/** What two hosts do not have in common. */
import type { Inventory, InventoryInterface } from './inventory.js';

/** One difference between two inventories. */
export interface Difference {
  /** What differs: `libfabric`, an interface, or an attribute of one. */
  readonly what: string;
  /** Absent where that host has no such thing. */
  readonly here?: string;
  readonly there?: string;
}

/** Of no consequence to whether the two can talk: each host has its own. */
const OWN = new Set(['srcAddr', 'destAddr', 'raw', 'nic', 'device', 'fabricAttr.name', 'domainAttr.name']);

/**
 * Compares two inventories, as `fabric-info --json` prints them: the versions, the interfaces by provider, type and
 * protocol, and the attributes of the first of each kind. Names and addresses of a host are its own and no difference.
 */
export function compareInventories(here: Inventory, there: Inventory): Difference[] {
  const differences: Difference[] = [];
  if (here.libfabric.version !== there.libfabric.version) {
    differences.push({ what: 'libfabric', here: here.libfabric.version, there: there.libfabric.version });
  }
  const ours = byKind(here);
  const theirs = byKind(there);
  for (const kind of new Set([...ours.keys(), ...theirs.keys()])) {
    const [one, other] = [ours.get(kind), theirs.get(kind)];
    if (one === undefined || other === undefined) {
      differences.push({
        what: kind,
        ...(one !== undefined && { here: 'listed' }),
        ...(other !== undefined && { there: 'listed' }),
      });
      continue;
    }
    const [left, right] = [flatten(one), flatten(other)];
    for (const name of new Set([...left.keys(), ...right.keys()])) {
      const [value, otherValue] = [left.get(name), right.get(name)];
      if (value === otherValue) continue;
      differences.push({
        what: `${kind}: ${name}`,
        ...(value !== undefined && { here: value }),
        ...(otherValue !== undefined && { there: otherValue }),
      });
    }
  }
  return differences;
}

/** The first interface of each kind: what libfabric would choose. */
function byKind({ interfaces }: Inventory): Map<string, InventoryInterface> {
  const found = new Map<string, InventoryInterface>();
  for (const info of interfaces) {
    const kind = `${info.fabricAttr.provName} ${String(info.epAttr.type)} ${String(info.epAttr.protocol)}`;
    if (!found.has(kind)) found.set(kind, info);
  }
  return found;
}

function flatten(value: object, path = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, field] of Object.entries(value) as [string, unknown][]) {
    const full = path === '' ? name : `${path}.${name}`;
    if (OWN.has(full) || field === undefined) continue;
    const isGroup = typeof field === 'object' && field !== null && !Array.isArray(field) && !('data' in field);
    if (isGroup) for (const [inner, text] of flatten(field, full)) found.set(inner, text);
    else found.set(full, Array.isArray(field) ? field.join(' | ') : JSON.stringify(field));
  }
  return found;
}
