/** fabric-doctor where there is a device: what it observes, and traffic that its counters prove. */
import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Report } from 'node-libfabric/doctor';
import type { Ended } from '../helpers/child.js';
import { folder, missingEfa, startOnHost } from '../helpers/software-efa.js';

const program = (name: string): string[] => [
  process.execPath,
  fileURLToPath(new URL(`../../dist/cli/${name}.js`, import.meta.url)),
];
const PINGPONG = [...program('fabric-pingpong'), 'local', '--provider', 'efa', '--sizes', '64k', '--iters', '100'];

async function doctor(host: number, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  await using child = startOnHost(host, [...program('fabric-doctor'), ...args], environment);
  return await child.ended(60_000);
}

const checkOf = ({ stdout }: Ended, id: string): Report['checks'][number] =>
  (JSON.parse(stdout) as Report).checks.find((check) => check.id === id)!;

describe.skipIf(missingEfa !== undefined)(
  `fabric-doctor on a device${missingEfa === undefined ? '' : ` (skipped: ${missingEfa})`}`,
  { timeout: 90_000 },
  () => {
    it('observes efa, and proves by its counters that traffic goes through', async () => {
      const ended = await doctor(1, ['--loopback', '--json']);
      const { prediction, devices, verdict } = JSON.parse(ended.stdout) as Report;
      expect(prediction.libfabric).toMatchObject({ transport: 'efa', confidence: 'observed' });
      expect(devices.map(({ id, name, driver }) => [id, name, driver])).toEqual([['0xefa2', 'rdmap0s6', 'efa']]);
      expect([verdict, ended.code]).toEqual(['usable', 0]);
      expect(checkOf(ended, 'NET-02')).toMatchObject({
        status: 'pass',
        message: expect.stringMatching(/^traffic goes through: \d{5,} bytes$/) as string,
      });
    });

    it('sees whether a command used it', async () => {
      const [busy, idle] = [
        await doctor(1, ['--watch', '--', ...PINGPONG]),
        await doctor(1, ['--watch', '--', 'true']),
      ];
      expect(busy.stderr).toMatch(/^rdmap0s6: \d{8,} bytes\nIt used EFA: \d{8,} bytes over 1 of 1 devices\.\n$/m);
      expect([busy.code, idle.code]).toEqual([0, 0]);
      expect(idle.stderr).toBe('rdmap0s6: 0 bytes\nIt did not use EFA: not one byte went over any device.\n');
    });

    it('tells a peer that is reached from one that only TCP reaches', async () => {
      const port = '47590';
      await using server = startOnHost(1, [
        ...[...program('fabric-pingpong'), 'serve', '--provider', 'efa', '--keep'],
        ...['--bind', '127.0.0.1', '--port', port],
      ]);
      await new Promise((listening) => server.process.stderr.once('data', listening));
      // devices of another folder are another fabric: as if a security group stood between them
      const elsewhere = mkdtempSync(`${folder}-blocked-`);
      try {
        const reached = await doctor(2, ['--peer', `127.0.0.1:${port}`, '--json']);
        expect(checkOf(reached, 'NET-03')).toMatchObject({ status: 'pass' });
        const blocked = await doctor(2, ['--peer', `127.0.0.1:${port}`, '--json'], { SOFTEFA_DIR: elsewhere });
        expect(blocked.code).toBe(2);
        expect(checkOf(blocked, 'NET-03')).toMatchObject({
          status: 'fail',
          message: expect.stringMatching(
            /^127\.0\.0\.1 answers over TCP, but nothing comes through over the fabric: a security group/,
          ) as string,
          fix: expect.arrayContaining([expect.stringMatching(/security group needs two rules/)]) as string[],
        });
        expect((JSON.parse(blocked.stdout) as Report).firstFailure).toBe('NET-03');
      } finally {
        rmSync(elsewhere, { recursive: true, force: true });
      }
    });
  },
);
