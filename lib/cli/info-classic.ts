/** The output of C's fi_info(1), byte for byte. */
import { createRequire } from 'node:module';
import { libraryInfo, type Info, type ProviderParameter } from '../index.js';

const TYPES: Record<ProviderParameter['type'], string> = {
  string: 'String',
  int: 'Integer',
  size_t: 'size_t',
  bool: 'Boolean (0/1, on/off, true/false, yes/no)',
};

export function formatClassic(infos: readonly Info[]): string {
  return infos
    .map(
      ({ fabricAttr, domainAttr, epAttr }) =>
        `provider: ${fabricAttr.provName}\n    fabric: ${fabricAttr.name}\n    domain: ${domainAttr.name}\n` +
        `    version: ${fabricAttr.provVersion}\n    type: ${epAttr.type}\n    protocol: ${epAttr.protocol}\n`,
    )
    .join('');
}

export function formatProviders(infos: readonly Info[]): string {
  return infos
    .map(({ fabricAttr: { provName, provVersion } }) => `${provName}:\n    version: ${provVersion}\n`)
    .join('');
}

export function formatClassicVariables(variables: readonly ProviderParameter[]): string {
  return variables
    .map(({ name, type, help, value, file }) => {
      const head = `# ${name}: ${TYPES[type]}\n# ${help}\n`;
      // fi_info does not know of files.
      if (value === undefined || file !== undefined) return `${head}\n`;
      // fi_info prints a NUL where it prints no quote.
      const quote = value.includes(' ') ? '"' : '\0';
      return `${head}${name}=${quote}${value}${quote}\n\n`;
    })
    .join('');
}

export function formatVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  const library = libraryInfo();
  return `fabric-info: ${version}\nlibfabric: ${library.version} (${library.path})\n`;
}
