/** Reports as pages that need nothing else: the stack as a picture, each layer by its worst check. */
import { LAYERS, type Layer, type Status } from './check.js';
import { FLEET_COLUMNS, type Fleet } from './fleet.js';
import type { Report } from './report.js';
import { installationRows, installationTitle, machineRow, transportRows } from './rows.js';

type ReportedCheck = Report['checks'][number];

const MARKS: Readonly<Record<Status, string>> = {
  fail: 'FAIL',
  warn: 'WARN',
  skip: 'SKIP',
  info: 'INFO',
  pass: 'PASS',
};
const SEVERITY: readonly Status[] = ['fail', 'warn', 'skip', 'pass', 'info'];

/** From programs down to hardware; what surrounds them beside. */
const STACK: readonly Layer[] = ['mpi', 'nccl', 'libfabric', 'verbs', 'device', 'rdma', 'module', 'pci', 'host'];
const BESIDE: readonly Layer[] = ['environment', 'limits', 'gpu', 'installer', 'network', 'counters', 'log'];

/** The stack shall be in sight. */
const SHOWN_FIRST = 4;

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const STYLE = `
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --soft: #59636e; --line: #d1d9e0;
  --fail: #b3261e; --warn: #8a5a00; --pass: #1a6b35; --info: #225a9c; --skip: #6b7280; --tint: 12%; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14171b; --text: #e6e9ec; --soft: #9aa4af; --line: #363d46;
    --fail: #ff8a80; --warn: #f2b84b; --pass: #6fce8b; --info: #7fb5f5; --skip: #9aa4af; --tint: 18%; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 70rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem; }
p { margin: .4rem 0; } a { color: var(--info); } .soft { color: var(--soft); } code { overflow-wrap: anywhere; }
.fail { --tone: var(--fail); } .warn { --tone: var(--warn); } .pass { --tone: var(--pass); }
.info { --tone: var(--info); } .skip { --tone: var(--skip); }
.verdict { color: var(--tone); } 
.stack { display: grid; grid-template-columns: 3fr 2fr; gap: 1.2rem; align-items: start; }
@media (max-width: 45rem) { .stack { grid-template-columns: 1fr; } }
details.layer { border: 1px solid var(--line); border-left: .45rem solid var(--tone); border-radius: .3rem; margin: .3rem 0;
  background: color-mix(in srgb, var(--tone) var(--tint), var(--back)); }
details.layer > summary { display: flex; justify-content: space-between; gap: 1rem; padding: .55rem .8rem; cursor: pointer;
  list-style: none; font-weight: 600; }
summary::-webkit-details-marker { display: none; }
summary:focus-visible { outline: 3px solid var(--info); outline-offset: 2px; }
.mark { color: var(--tone); font: 600 .85rem ui-monospace, monospace; }
.checks { background: var(--back); padding: .2rem .8rem .6rem; }
.check { border-top: 1px solid var(--line); padding: .5rem 0; } .check:first-child { border-top: 0; }
.check ul { margin: .3rem 0; padding-left: 1.2rem; } .check h3 { font-size: 1rem; margin: 0; }
.first h2 { margin: 0; } .first { border: 2px solid var(--tone); border-radius: .3rem; padding: .6rem .9rem; margin: 1rem 0; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; } th, td { text-align: left; padding: .3rem .6rem;
  border-bottom: 1px solid var(--line); vertical-align: top; } td.other { color: var(--warn); font-weight: 600; }
`;

/** Layers open by mouse and keyboard as `details` do; arrows walk over them. */
const SCRIPT = `
addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const all = [...document.querySelectorAll('details.layer > summary')];
  const at = all.indexOf(document.activeElement);
  if (step === undefined || at < 0) return;
  event.preventDefault();
  all[Math.min(Math.max(at + step, 0), all.length - 1)].focus();
});
`;

/** A node's report. */
export function renderPage(report: Report): string {
  const { verdict, summary, node, checks, firstFailure, time } = report;
  const first = checks.find(({ id }) => id === firstFailure);
  const tones = {
    usable: 'pass',
    degraded: 'warn',
    fallback: 'fail',
    unusable: 'fail',
    'not-applicable': 'info',
  } as const;
  const layers = (which: readonly Layer[]): string =>
    which.map((layer) => renderLayer(layer, checks, firstFailure)).join('\n');
  return page(`EFA on ${node}: ${verdict}`, [
    `<h1 class="${tones[verdict]}"><span class="verdict">EFA: ${escape(verdict.toUpperCase().replace('-', ' '))}</span></h1>`,
    `<p>${escape(summary)}</p>`,
    `<p class="soft">${escape(`${machineRow(report)} · ${time}`)}</p>`,
    ...(first === undefined
      ? []
      : [
          `<section class="first ${first.status}"><h2 class="soft">First failing step</h2>${renderCheck(first, SHOWN_FIRST)}</section>`,
        ]),
    ...renderLog(report),
    '<h2>Transports</h2>',
    renderTable(transportRows(report).map(({ name, transport, why }) => [name, transport, why])),
    `<h2>${escape(installationTitle(report))}</h2>`,
    renderTable(installationRows(report).map(({ name, text }) => [name, text])),
    `<h2>The stack</h2><div class="stack"><div>${layers(STACK)}</div><div>${layers(BESIDE)}</div></div>`,
  ]);
}

/** Rows whose first cell says what they are about. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const lines = rows.map(([head = '', ...cells]) => {
    const rest = cells.map((cell) => `<td>${escape(cell)}</td>`).join('');
    return `<tr><th scope="row">${escape(head)}</th>${rest}</tr>`;
  });
  return `<div class="scroll"><table>${lines.join('')}</table></div>`;
}

function renderLog({ log }: Report): string[] {
  if (log === null) return [];
  const { name, faults } = log;
  const items = faults.map(({ id, line, text, meaning, fix }) => {
    const seen = `<code>${escape(text)}</code>`;
    return `<li><strong>${id}</strong>, line ${line}: ${escape(meaning)} ${escape(fix.join(' '))}<br>${seen}</li>`;
  });
  const found = items.length === 0 ? '<p>No known fault.</p>' : `<ul>${items.join('')}</ul>`;
  return [`<h2>Log ${escape(name)}</h2>${found}`];
}

function renderLayer(layer: Layer, checks: readonly ReportedCheck[], firstFailure: string | null): string {
  const own = checks.filter((check) => check.layer === layer);
  if (own.length === 0) return '';
  const worst = SEVERITY.find((status) => own.some((check) => check.status === status))!;
  const isOpen = own.some(({ id }) => id === firstFailure);
  return [
    `<details class="layer ${worst}" data-layer="${layer}"${isOpen ? ' open' : ''}>`,
    `<summary>${escape(LAYERS[layer])}<span class="mark">${MARKS[worst]}</span></summary>`,
    `<div class="checks">${own.map((check) => `<div class="check">${renderCheck(check)}</div>`).join('')}</div></details>`,
  ].join('');
}

function renderCheck(
  { id, status, title, message, evidence, fix, references }: ReportedCheck,
  most = Infinity,
): string {
  const more = evidence.length - most;
  const list = (items: readonly string[]): string =>
    items.length === 0 ? '' : `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
  return [
    `<h3 class="${status}"><span class="mark">${MARKS[status]}</span> ${id} ${escape(title)}</h3>`,
    `<p>${escape(message)}</p>`,
    list(
      evidence
        .slice(0, most)
        .map(({ source, value }) => `<code>${escape(source)}</code>: <code>${escape(value)}</code>`),
    ),
    more > 0 ? `<p class="soft">and ${more} more, in the stack below</p>` : '',
    fix.length === 0 ? '' : `<p><strong>Fix</strong></p>${list(fix.map(escape))}`,
    fix.length === 0 ? '' : list(references.map((link) => `<a href="${escape(link)}">${escape(link)}</a>`)),
  ].join('');
}

/** Nodes of a fleet in a table; what differs from most stands out. */
export function renderFleetPage({ reports, differences }: Fleet): string {
  const rows = reports.map((report) => {
    const cells = FLEET_COLUMNS.map(({ title, of }) => {
      const usual = differences.find((difference) => difference.title === title)?.usual;
      const isOther = usual !== undefined && of(report) !== usual;
      return `<td${isOther ? ' class="other"' : ''}>${escape(of(report))}</td>`;
    });
    return `<tr><th scope="row">${escape(report.node)}</th>${cells.join('')}</tr>`;
  });
  const head = ['node', ...FLEET_COLUMNS.map(({ title }) => title)].map((title) => `<th scope="col">${title}</th>`);
  const told = differences.map(({ title, usual, others }) => {
    const who = others.map(({ node, value }) => `${node} (${value})`).join(', ');
    return `<li>${escape(title)}: most have ${escape(usual)}; not ${escape(who)}</li>`;
  });
  return page(`EFA on ${reports.length} nodes`, [
    `<h1>EFA on ${reports.length} nodes</h1>`,
    told.length === 0 ? '<p>All are alike.</p>' : `<ul>${told.join('')}</ul>`,
    `<div class="scroll"><table><tr>${head.join('')}</tr>${rows.join('')}</table></div>`,
  ]);
}

function page(title: string, body: readonly string[]): string {
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`,
    `<title>${escape(title)}</title><style>${STYLE}</style></head><body><main>`,
    ...body,
    `</main><script>${SCRIPT}</script></body></html>\n`,
  ].join('\n');
}
