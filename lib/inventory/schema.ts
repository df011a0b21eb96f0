/** What `fabric-info --json` prints, as a schema that is published. */
import { z } from 'zod';
import { bytes, pattern, size, text, version, type Field } from '../fields.js';
import { WHOLE_INFO, type Schema } from '../info-schema.js';
import { INVENTORY_FORMAT } from './inventory.js';

const KINDS = new Map<unknown, z.ZodType>([
  [size, z.number()],
  [text, z.string()],
  [version, z.string()],
  [pattern, z.string()],
  [bytes, z.strictObject({ type: z.literal('Buffer'), data: z.array(z.number()) })],
]);
const FLAGS = z.array(z.string());
/** The number of one without a name. */
const ENUMERATED = z.union([z.string(), z.number()]);

/** A group of an fi_info. What a provider leaves out is absent. */
function groupSchema(group: Schema): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(group).map(([name, entry]) => [
        name,
        (isField(entry) ? fieldSchema(entry) : groupSchema(entry)).optional(),
      ]),
    ),
  );
}

const isField = (entry: Field<never, never> | Schema): entry is Field<never, never> =>
  typeof entry.decode === 'function';

function fieldSchema(field: Field<never, never>): z.ZodType {
  return KINDS.get(field) ?? (Array.isArray(field.decode('0')) ? FLAGS : ENUMERATED);
}

const device = z.strictObject({
  name: z.string().optional(),
  pci: z.string().optional(),
  numa: z.number().int().optional(),
  driver: z.string().optional(),
  /** In bits a second. */
  speed: z.number().optional(),
  mtu: z.number().optional(),
  state: z.string().optional(),
});

const filters = [
  'source',
  'node',
  'port',
  'caps',
  'mode',
  'endpointType',
  'domain',
  'fabric',
  'addressFormat',
  'provider',
];

const inventorySchema = z.strictObject({
  schema: z.literal(INVENTORY_FORMAT),
  host: z.string(),
  libfabric: z.strictObject({ version: z.string(), path: z.string() }),
  filters: z.strictObject(Object.fromEntries(filters.map((name) => [name, z.string().optional()]))),
  interfaces: z.array(groupSchema(WHOLE_INFO).extend({ device: device.optional() })),
  notListed: z.array(z.strictObject({ provider: z.string(), protocol: z.string().optional(), reason: z.string() })),
});

/** JSON Schema of an inventory, draft 7. */
export const inventoryJsonSchema = (): object => z.toJSONSchema(inventorySchema, { target: 'draft-7' });
