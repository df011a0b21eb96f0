import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareResults, type PingpongResult } from 'node-libfabric/bench';
import { renderReport } from '../../lib/report/html.js';
import { has, Programs, TINY } from './program.js';

const programs = new Programs();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fabric-pingpong-'));
});
afterEach(async () => {
  await programs.endAll();
  rmSync(folder, { recursive: true });
});

const provider = ['net', 'tcp'].find(has);
const hasBrowser = spawnSync('chromium', ['--version']).status === 0;
const why = hasBrowser ? '' : ' (skipped: there is no chromium)';

function browse(page: string, ...options: string[]): string {
  const always = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${join(folder, 'profile')}`];
  const { stdout } = spawnSync('chromium', [...always, ...options, `file://${page}`], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return stdout;
}

/** Red, green and blue of the pixel in the upper left corner, which no filter of PNG changes. */
function firstPixel(file: string): number[] {
  const png = readFileSync(file);
  const chunks: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) !== 'IDAT') continue;
    chunks.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  return [...inflateSync(Buffer.concat(chunks)).subarray(1, 4)];
}

async function measure(...args: string[]): Promise<{ code: number | null; result: PingpongResult; page: string }> {
  const [json, page] = [join(folder, 'result.json'), join(folder, 'report.html')];
  const sizes = ['--sizes', '64,4k,64k', '--iters', '200'];
  const program = programs.start(['local', '-p', provider!, ...sizes, `--json=${json}`, '--html', page, ...args]);
  const code = await program.exitCode;
  return { code, result: JSON.parse(readFileSync(json, 'utf8')) as PingpongResult, page };
}

describe.skipIf(provider === undefined)('fabric-pingpong --html', () => {
  it.skipIf(!hasBrowser)(`is a page of one file, in light and dark${why}`, { timeout: 120_000 }, async () => {
    const { code, result, page } = await measure();
    expect(code).toBe(0);
    const source = readFileSync(page, 'utf8');
    expect(source).not.toMatch(/<script|<link|src=|url\(|https?:/);
    const dom = browse(page, '--dump-dom');
    expect(dom.match(/<svg [^>]*role="img" aria-label="[^"]+"/g)).toHaveLength(3);
    expect(dom.match(/<th scope="row" class="number">(\d+)</g)).toHaveLength(3);
    expect(dom.match(/<th scope="row">bandwidth</g)).toHaveLength(3);
    for (const { latency, bandwidth } of result.measurements) {
      expect(latency).toBeDefined();
      expect(dom).toContain(
        `${bandwidth!.megabytesPerSecond.toFixed(bandwidth!.megabytesPerSecond < 100 ? 2 : bandwidth!.megabytesPerSecond < 1000 ? 1 : 0)}</td>`,
      );
    }
    expect(dom).toContain(result.client.dataAddress);
    const image = join(folder, 'page.png');
    browse(page, `--screenshot=${image}`);
    expect(firstPixel(image)).toEqual([255, 255, 255]);
    browse(page, `--screenshot=${image}`, '--force-dark-mode');
    expect(firstPixel(image)).toEqual([0x16, 0x18, 0x1b]);
  });

  it('has text where somebody puts markup', async () => {
    const { result } = await measure();
    const page = renderReport({ ...result, reason: '<script>alert(1)</script>' }, 'today');
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;');
  });
});

describe.skipIf(provider === undefined)('fabric-pingpong as a gate', () => {
  it('exits 10 with the result when a figure is worse than allowed', async () => {
    const { code, result } = await measure('--max-p99', '0.001');
    expect(code).toBe(10);
    expect(result).toMatchObject({ ok: false, error: { code: 'THRESHOLD', exitCode: 10 } });
    expect(result.measurements).toHaveLength(3);
    expect((await measure('--max-p99', '10000000', '--min-bw', '0.001')).code).toBe(0);
  });

  it.each(['--json', '--html'])('says before it measures that the file of %s cannot be written', async (option) => {
    const program = programs.start(['local', '-p', 'shm', `${option}=/nonexistent/file`, ...TINY]);
    expect(await program.exitCode).toBe(2);
    expect(program.stdout).toBe('');
    expect(program.stderr).toMatch(
      new RegExp(`^fabric-pingpong: ${option}=/nonexistent/file: no such file or directory\n`),
    );
  });

  it('says that it could not write a file after all', async () => {
    const program = programs.start(['local', '-p', 'shm', `--json=${folder}`, ...TINY]);
    expect(await program.exitCode).toBe(2);
    expect(program.stderr.replace(/\s+/g, ' ')).toContain(`--json=${folder}: illegal operation on a directory`);
    expect(program.stderr).not.toMatch(/^ +at /m);
  });

  it('compares two results', async () => {
    const { result } = await measure();
    const [before, after] = [join(folder, 'before.json'), join(folder, 'after.json')];
    writeFileSync(before, JSON.stringify(result));
    const compare = async (): Promise<number | null> => programs.start(['compare', before, after]).exitCode;
    writeFileSync(after, JSON.stringify(result));
    expect(await compare()).toBe(0);
    const slower = structuredClone(result);
    for (const { latency } of slower.measurements) {
      latency!.p50 *= 3;
      latency!.histogram.buckets = latency!.histogram.buckets.map(([from, count]) => [from * 3, count]);
    }
    writeFileSync(after, JSON.stringify(slower));
    expect(compareResults(result, slower).filter(({ verdict }) => verdict === 'worse').length).toBeGreaterThan(0);
    expect(await compare()).toBe(10);
    writeFileSync(after, '{}');
    expect(await compare()).toBe(2);
    const missing = programs.start(['compare', before, '/nonexistent']);
    expect(await missing.exitCode).toBe(2);
    expect(missing.stderr).toMatch(/^fabric-pingpong: \/nonexistent: no such file or directory\n/);
  });

  it('measures only what --test says, and prints CSV', async () => {
    const program = programs.start([
      'local',
      '-p',
      provider!,
      '--sizes',
      '64',
      '--iters',
      '50',
      '--test',
      'lat',
      '--csv',
    ]);
    expect(await program.exitCode).toBe(0);
    const [head, row, ...rest] = program.stdout.trim().split('\n');
    expect(rest).toEqual([]);
    expect(head!.split(',')).toHaveLength(row!.split(',').length);
    expect(row).toMatch(new RegExp(`^64,50,.*,,,,,,,,${provider},FI_PROTO_\\w+,msg$`));
  });
});
