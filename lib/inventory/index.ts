/** `node-libfabric/inventory`: what libfabric has on this host, and why not more. */
export type { InterfaceDevice } from './device.js';
export { compareInventories, type Difference } from './difference.js';
export type { InventoryFilters } from './filters.js';
export { INVENTORY_FORMAT, takeInventory, type Inventory, type InventoryInterface } from './inventory.js';
export { infoJsonSchema } from './schema.js';
