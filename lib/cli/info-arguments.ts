import { Command, CommanderError } from 'commander';
import type { InventoryFilters } from '../inventory/index.js';
import { UsageError } from './exit-codes.js';

/** What the command line of fabric-info asks for. */
export interface InfoOptions {
  filters: InventoryFilters;
  classic: boolean;
  json: boolean;
  list: boolean;
  schema: boolean;
  verbose: boolean;
  version: boolean;
  why: boolean;
  /** Only interfaces whose whole text contains this. */
  containing?: string;
  /** A file to compare with. */
  diff?: string;
  /** Part of the names of the variables to list; empty for all. */
  env?: string;
}

interface Given {
  src_addr?: string;
  node?: string;
  port?: string;
  caps?: string;
  mode?: string;
  ep_type?: string;
  domain?: string;
  fabric?: string;
  addr_format?: string;
  provider?: string;
  env?: string | true;
  getenv?: string;
  info?: string;
  list?: boolean;
  schema?: boolean;
  verbose?: boolean;
  version?: boolean;
  classic?: boolean;
  json?: boolean;
  why?: boolean;
  diff?: string;
}

/** Reads the command line. Undefined when `--help` was asked for and answered. @throws UsageError */
export function parseInfoArguments(argv: readonly string[]): InfoOptions | undefined {
  const command = makeInfoCommand();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(error.message.replace(/^error: /, ''));
  }
  const given = command.opts<Given>();
  const { src_addr: source, ep_type: endpointType, addr_format: addressFormat, info: containing, diff } = given;
  const { node, port, caps, mode, domain, fabric, provider, getenv } = given;
  const env = getenv ?? (given.env === true ? '' : given.env);
  const filters = { source, node, port, caps, mode, endpointType, domain, fabric, addressFormat, provider };
  return {
    filters: Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)),
    classic: given.classic ?? false,
    json: given.json ?? false,
    list: given.list ?? false,
    schema: given.schema ?? false,
    verbose: given.verbose ?? false,
    version: given.version ?? false,
    why: given.why ?? false,
    ...(containing !== undefined && { containing }),
    ...(diff !== undefined && { diff }),
    ...(env !== undefined && { env }),
  };
}

/** The options, which the help and the tests of the documents read too. */
export function makeInfoCommand(): Command {
  return new Command('fabric-info')
    .description('Lists what libfabric has on this host, best first, and says why other providers are not there.')
    .usage('[options]')
    .option('-s, --src_addr <address>', 'what reaches from this address or name of this host')
    .option('-n, --node <name>', 'what reaches this host or address')
    .option('-P, --port <number>', 'port or service of that address')
    .option('-c, --caps <list>', 'has these capabilities, e.g. "FI_MSG|FI_RMA" or "msg|rma"')
    .option('-m, --mode <list>', 'asks for no other mode of the application than these (default: any)')
    .option('-t, --ep_type <type>', 'endpoint type, e.g. FI_EP_RDM or rdm')
    .option('-d, --domain <name>', 'this domain: a network interface or device')
    .option('-f, --fabric <name>', 'this fabric')
    .option('-a, --addr_format <format>', 'accepts this address format, e.g. FI_SOCKADDR_IN')
    .option('-p, --provider <name>', 'this provider')
    .option('-e, --env [pattern]', 'list environment variables, those whose name has the pattern')
    .option('-g, --getenv <pattern>', 'the same')
    .option('-i, --info <text>', 'every attribute of the interfaces that have the text among them')
    .option('-l, --list', 'list the providers that are built in')
    .option('-v, --verbose', 'every attribute')
    .option('--version', "this package's version and that of libfabric")
    .option('--why', 'why each provider that is not listed is not')
    .option('--json', 'one JSON document on stdout, also with -e, -l and --diff (--schema describes it)')
    .option('--schema', 'the JSON Schema of --json')
    .option('--diff <file>', 'compare with what --json printed on another host')
    .option('--classic', "print as C's fi_info does, byte for byte")
    .addHelpText(
      'after',
      [
        '',
        'Exit codes:',
        '    0  something is listed; --diff: no difference',
        '    1  internal error, or a failure of libfabric',
        '    2  usage: an option or argument is wrong',
        '    3  nothing is listed; the reasons are',
        '   10  --diff: the hosts differ',
      ].join('\n'),
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}
