import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../lib/cli/arguments.js';
import { EXIT_CODES, UsageError } from '../../lib/cli/exit-codes.js';
import { Programs } from './program.js';

describe('parseArguments', () => {
  it('reads every option of a measurement', () => {
    const line =
      'node1 -p tcp;ofi_rxm --require tcp --sizes 64,4k,1M --iters 50 --warmup 5 --window 8 --streams 2 ' +
      '-e msg --op tagged --test bibw --poll wait --pin auto --verify --samples --time 1.5 ' +
      '--door await --port 1234 --timeout 0.5 --json --units Gb';
    expect(parseArguments(line.split(' '))).toEqual({
      target: 'node1',
      options: {
        provider: 'tcp;ofi_rxm',
        require: 'tcp',
        sizes: [64, 4096, 1_048_576],
        iterations: 50,
        warmup: 5,
        window: 8,
        streams: 2,
        endpointType: 'msg',
        operation: 'tagged',
        test: 'bibw',
        poll: 'wait',
        pin: 'auto',
        verify: true,
        samples: true,
        time: 1500,
        door: 'await',
        port: 1234,
        timeout: 500,
      },
    });
  });

  it.each([
    ['', /missing required argument/],
    ['local extra', /too many arguments/],
    ['local --bogus', /unknown option '--bogus'/],
    ['local --sizes 4x', /"4x" is no size/],
    ['local --sizes 64,', /"" is no size/],
    ['local --iters many', /whole number/],
    ['local --timeout -1', /number of seconds/],
    ['local --door window', /Allowed choices are batch, await/],
    ['local --op atomic', /Allowed choices are msg, tagged, write, read, writedata/],
    ['local -e rc', /Allowed choices are rdm, msg, dgram/],
    ['local --test all', /Allowed choices are lat, bw, bibw, rate/],
    ['local --poll sleep', /Allowed choices are spin, wait, auto/],
    ['local --units GB', /Allowed choices are MB, MiB, Gb/],
    ['local --pin first', /a number or auto/],
    ['serve --verify', /--verify has no meaning with serve/],
    ['serve --ep-type msg', /--ep-type has no meaning with serve/],
    ['local --port 1', /--port has no meaning with local/],
    ['local --keep', /--keep has no meaning with local/],
    ['node1 --bind ::', /--bind has no meaning with node1/],
    ['serve --sizes 64', /--sizes has no meaning with serve/],
  ])('refuses "%s"', (line, message) => {
    const parse = (): unknown => parseArguments(line === '' ? [] : line.split(' '));
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });
});

describe('fabric-pingpong', () => {
  const programs = new Programs();

  it('documents every option and exit code in --help', async () => {
    const program = programs.start(['--help']);
    expect(await program.exitCode).toBe(0);
    for (const code of Object.keys(EXIT_CODES)) {
      expect(program.stdout).toMatch(new RegExp(`^ +${code}  \\S`, 'm'));
    }
    expect(Math.max(...program.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('answers a usage error with one JSON object and exit code 2', async () => {
    const program = programs.start(['local', '--json', '--iters', '0']);
    expect(await program.exitCode).toBe(2);
    expect(program.json).toEqual({
      format: 'fabric-pingpong/1',
      ok: false,
      interrupted: false,
      error: {
        code: 'USAGE',
        exitCode: 2,
        message: 'iterations: a whole number from 1 to 100000000, not 0',
        hint: 'fabric-pingpong --help lists the options',
      },
    });
  });

  it.each([
    ['64..1k*2', [64, 128, 256, 512, 1024]],
    ['64..256+64', [64, 128, 192, 256]],
    ['1,64..128*2,1M', [1, 64, 128, 1_048_576]],
  ])('reads --sizes %s', (list, sizes) => {
    expect(parseArguments(['local', '--sizes', list])?.options.sizes).toEqual(sizes);
  });

  it('reads --sizes all as fi_pingpong does, without the empty message', () => {
    const sizes = parseArguments(['local', '--sizes', 'all'])!.options.sizes!;
    expect(sizes.slice(0, 8)).toEqual([1, 2, 3, 4, 6, 8, 12, 16]);
    expect(sizes.slice(-2)).toEqual([4 * 1024 ** 2, 6 * 1024 ** 2]);
    expect(sizes).toHaveLength(45);
  });

  it.each(['64..1k', '64..1k*1', '0..64*2', '1..1G+1', '64..1k+0'])('refuses --sizes %s', (list) => {
    expect(() => parseArguments(['local', '--sizes', list])).toThrow(list.includes('+1') ? 'more than 1000' : list);
  });

  it('reads thresholds', () => {
    const { options } = parseArguments(['node1', '--max-p99', '20.5', '--min-bw', '100', '--test', 'lat'])!;
    expect(options).toEqual({ thresholds: { maxP99: 20.5, minBandwidth: 100 }, test: 'lat' });
    expect(() => parseArguments(['serve', '--max-p99', '20'])).toThrow('--max-p99 has no meaning with serve');
  });
});
