/** What `fabric-info --json` prints, as a schema that is published. */
import { z } from 'zod';
import { bytes, pattern, size, text, version, type Field } from '../fields.js';
import { PARAMETER_TYPES } from '../parameters.js';
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

/** What `--env` prints. */
const variablesSchema = z.strictObject({
  variables: z.array(
    z.strictObject({
      name: z.string(),
      type: z.enum(PARAMETER_TYPES),
      help: z.string(),
      value: z.string().optional(),
      file: z.string().optional(),
    }),
  ),
  problems: z.array(
    z.strictObject({
      variable: z.string(),
      reason: z.enum(['unknown', 'too-late']),
      suggestion: z.string().optional(),
      message: z.string(),
    }),
  ),
});

/** What `-l` prints. */
const providersSchema = z.array(z.strictObject({ name: z.string(), version: z.string() }));

/** What `--diff` prints. */
const differencesSchema = z.array(
  z.strictObject({ what: z.string(), here: z.string().optional(), there: z.string().optional() }),
);

/** Each kind of document, by the options that print it. */
const DOCUMENTS = {
  'fabric-info --json': inventorySchema,
  'fabric-info --json --env': variablesSchema,
  'fabric-info --json -l': providersSchema,
  'fabric-info --json --diff': differencesSchema,
};

/** JSON Schema of what `fabric-info --json` prints, draft 7: an inventory, or what `--env`, `-l` or `--diff` list. */
export const infoJsonSchema = (): object =>
  z.toJSONSchema(z.union(Object.entries(DOCUMENTS).map(([title, schema]) => schema.meta({ title }))), {
    target: 'draft-7',
  });
