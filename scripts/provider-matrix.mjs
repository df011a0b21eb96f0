// Writes docs/providers.md: which provider of this machine's libfabric can do what, as fi_getinfo(3) says. --print only
// prints the tables, for CI: the page depends on the machine.
import { CAPABILITIES, ENDPOINT_TYPES, getInfo, libraryInfo } from 'node-libfabric';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { root } from './set-up/run.mjs';

/** @type {import('node-libfabric').DomainAttr['mrMode']} */
const ANY_MR_MODE = ['FI_MR_LOCAL', 'FI_MR_VIRT_ADDR', 'FI_MR_ALLOCATED', 'FI_MR_PROV_KEY', 'FI_MR_ENDPOINT'];
const ANY_MODE = 2n ** 64n - 1n;
const capabilities = /** @type {(keyof typeof CAPABILITIES)[]} */ (Object.keys(CAPABILITIES));
const types = ['FI_EP_MSG', 'FI_EP_RDM', 'FI_EP_DGRAM'].filter((type) => type in ENDPOINT_TYPES);

/** @param {import('node-libfabric').Hints} hints */
const ask = (hints) => getInfo({ mode: ANY_MODE, domainAttr: { mrMode: ANY_MR_MODE }, ...hints });

/** @param {string[]} cells */
const row = (cells) => `| ${cells.join(' | ')} |`;

/** @param {string} type */
function tableOf(type) {
  const name = (/** @type {import('node-libfabric').Info} */ info) => info.fabricAttr.provName ?? '';
  const epAttr = { type: /** @type {'FI_EP_RDM'} */ (type) };
  const providers = [...new Set(ask({ epAttr }).map(name))];
  // A capability may be there only for who asks for it.
  const able = new Map(capabilities.map((cap) => [cap, new Set(ask({ epAttr, caps: [cap] }).map(name))]));
  const rows = capabilities
    .filter((cap) => providers.some((provider) => able.get(cap)?.has(provider)))
    .map((cap) => row([cap, ...providers.map((provider) => (able.get(cap)?.has(provider) ? '✓' : ''))]));
  return `## ${type}\n\n${row(['', ...providers])}\n${row(['-', ...providers.map(() => ':-:')])}\n${rows.join('\n')}\n`;
}

const { version } = libraryInfo();
const page = `# Providers

What each provider can do, by type of endpoint, on the machine where this was generated: libfabric ${version}, without
special hardware. \`node scripts/provider-matrix.mjs\` asks the libfabric that is installed. A tick means that
\`getInfo\` finds the provider when the capability is asked for; \`efa\`, \`verbs\` and others appear where their devices are.

${types.map(tableOf).join('\n')}`;
const text = await format(page, { parser: 'markdown', printWidth: 120, proseWrap: 'preserve' });
if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(join(root, 'docs/providers.md'), text);
