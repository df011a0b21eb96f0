/** libfabric.conf: settings of a machine, which libfabric 1.18 and newer reads besides the environment (load_conf of its var.c). */

const NAME = Buffer.from('/libfabric.conf\0');

/** Where a libfabric looks for it: that is written in its file. Undefined for one that knows no such thing. */
export function configurationPath(library: Buffer): string | undefined {
  const at = library.indexOf(NAME);
  if (at < 0) return undefined;
  const path = library.toString('latin1', library.lastIndexOf(0, at) + 1, at + NAME.length - 1);
  return path.startsWith('/') ? path : undefined;
}

/** Variables as libfabric reads them. */
export interface Settings {
  readonly values: Readonly<Record<string, string>>;
  /** Those that the file has set. */
  readonly fromFile: ReadonlySet<string>;
}

/**
 * The environment, with what the file has for variables that are not set; FI_PREFER_SYSCONFIG gives the file precedence.
 *
 * @param text - The file. A line is `NAME=value` without a blank too many; the first of a name counts.
 */
export function mergeConfiguration(environment: Readonly<Record<string, string>>, text: string): Settings {
  const configured = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^(FI_[^=]*)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !configured.has(name)) configured.set(name, value);
  }
  const preference = environment['FI_PREFER_SYSCONFIG'] ?? configured.get('FI_PREFER_SYSCONFIG') ?? '0';
  const prefersFile = ['1', 'true', 'yes', 'on'].includes(preference.toLowerCase());
  const counting = [...configured].filter(([name]) => prefersFile || environment[name] === undefined);
  return {
    values: { ...environment, ...Object.fromEntries(counting) },
    fromFile: new Set(counting.map(([name]) => name)),
  };
}
