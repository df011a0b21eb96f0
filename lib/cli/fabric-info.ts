#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { describe, FabricError, getInfo, getParams } from '../index.js';
import { filterQuery } from '../inventory/filters.js';
import {
  compareInventories,
  INVENTORY_FORMAT,
  infoJsonSchema,
  takeInventory,
  type Inventory,
} from '../inventory/index.js';
import { systemErrorText } from '../system-error.js';
import { UsageError } from './exit-codes.js';
import { parseInfoArguments, type InfoOptions } from './info-arguments.js';
import { formatClassic, formatClassicVariables, formatProviders, formatVersion } from './info-classic.js';
import { formatDifferences, formatInventory, formatVariables, variablesAsJson } from './info-report.js';

/** Exit codes of fabric-info: those of fabric-pingpong with the same meaning. */
function main(): number {
  const options = parseInfoArguments(process.argv.slice(2));
  if (options === undefined) return 0;
  if (options.version) return print(formatVersion());
  if (options.schema) return print(`${JSON.stringify(infoJsonSchema(), undefined, 2)}\n`);
  if (options.env !== undefined) return printVariables(options, options.env);
  if (options.list) return printProviders(options);
  if (options.json && options.containing !== undefined) {
    throw new UsageError('--info prints text; --json has every attribute of every interface');
  }
  // the inventory has every attribute anyway
  if (options.containing !== undefined || (options.verbose && !options.json)) return printVerbose(options);
  const inventory = takeInventory(options.filters);
  if (options.diff !== undefined) return printDifferences(options, inventory, options.diff);
  const isEmpty = inventory.interfaces.length === 0;
  if (options.json) print(`${JSON.stringify(inventory, undefined, 2)}\n`);
  else if (options.classic) print(formatClassic(inventory.interfaces));
  else print(formatInventory(inventory, options.why || isEmpty));
  return isEmpty ? NOTHING : 0;
}

const NOTHING = 3;
const DIFFERENT = 10;

function printVariables({ json, classic, filters }: InfoOptions, pattern: string): number {
  // As fi_info does: some providers register their variables only now.
  getInfo(filterQuery(filters).hints);
  const variables = getParams().filter(({ name }) => name.toLowerCase().includes(pattern.toLowerCase()));
  if (json) return print(`${JSON.stringify(variablesAsJson(variables), undefined, 2)}\n`);
  return print(classic ? formatClassicVariables(variables) : formatVariables(variables));
}

function printProviders({ filters, json }: InfoOptions): number {
  const { hints, query } = filterQuery(filters);
  const flags =
    filters.source === undefined ? ['FI_PROV_ATTR_ONLY' as const] : (['FI_PROV_ATTR_ONLY', 'FI_SOURCE'] as const);
  const found = getInfo(hints, { ...query, flags });
  if (!json) print(formatProviders(found));
  else {
    const providers = found.map(({ fabricAttr }) => ({ name: fabricAttr.provName, version: fabricAttr.provVersion }));
    print(`${JSON.stringify(providers, undefined, 2)}\n`);
  }
  return found.length === 0 ? NOTHING : 0;
}

function printVerbose({ filters, containing = '' }: InfoOptions): number {
  const { hints, query } = filterQuery(filters);
  const found = getInfo(hints, query);
  for (const info of found) {
    const text = describe(info);
    if (text.toLowerCase().includes(containing.toLowerCase())) print(`---\n${text}\n`);
  }
  return found.length === 0 ? NOTHING : 0;
}

function printDifferences({ json }: InfoOptions, here: Inventory, file: string): number {
  const there = readInventory(file);
  const differences = compareInventories(here, there);
  print(json ? `${JSON.stringify(differences, undefined, 2)}\n` : formatDifferences(differences, here, there));
  return differences.length === 0 ? 0 : DIFFERENT;
}

function readInventory(file: string): Inventory {
  let read: Partial<Inventory>;
  try {
    read = JSON.parse(readFileSync(file, 'utf8')) as Partial<Inventory>;
  } catch (error) {
    throw new UsageError(`--diff ${file}: ${systemErrorText(error)}`);
  }
  if (read.schema === INVENTORY_FORMAT) return read as Inventory;
  throw new UsageError(`--diff ${file}: is no output of fabric-info --json`);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function fail(error: unknown): number {
  const isUsage = error instanceof UsageError || error instanceof RangeError;
  process.stderr.write(`fabric-info: ${error instanceof Error ? error.message : String(error)}\n`);
  if (isUsage) process.stderr.write('  fabric-info --help lists the options\n');
  if (isUsage) return 2;
  return error instanceof FabricError && error.syscall === 'dlopen' ? NOTHING : 1;
}

// A reader that has gone, such as `head`, is no failure.
process.stdout.on('error', () => process.exit(0));

try {
  process.exitCode = main();
} catch (error) {
  process.exitCode = fail(error);
}
