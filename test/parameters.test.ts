import { checkEnvironment, getParams } from 'node-libfabric';
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';

const MISSPELT = 'FI_TCP_PORT_LOW_RANG';
const LATE = 'FI_TCP_PORT_HIGH_RANGE';

describe('getParams', () => {
  afterEach(() => {
    Reflect.deleteProperty(process.env, MISSPELT);
    Reflect.deleteProperty(process.env, LATE);
  });

  it('lists what fi_info -e lists', () => {
    const printed = execFileSync('fi_info', ['-e'], { encoding: 'utf8' });
    const names = [...printed.matchAll(/^# (FI_\w+): /gm)].map(([, name]) => name);
    expect(getParams().map(({ name }) => name)).toEqual(names);
    expect(names.length).toBeGreaterThan(20);
  });

  it('says type, help and current value', () => {
    process.env[LATE] = '40123';
    const parameters = getParams();
    expect(parameters.find(({ name }) => name === LATE)).toMatchObject({ type: 'int', value: '40123' });
    expect(parameters.find(({ name }) => name === 'FI_LOG_LEVEL')).toEqual({
      name: 'FI_LOG_LEVEL',
      type: 'string',
      help: expect.stringMatching(/logging level/) as string,
    });
  });

  it('warns of a variable that nobody knows, with the nearest name', () => {
    process.env[MISSPELT] = '1';
    process.env['FI_COMPLETELY_DIFFERENT_THING'] = '1';
    const problems = checkEnvironment();
    Reflect.deleteProperty(process.env, 'FI_COMPLETELY_DIFFERENT_THING');
    const problem = problems.find(({ variable }) => variable === MISSPELT);
    expect(problem).toMatchObject({ reason: 'unknown', suggestion: 'FI_TCP_PORT_LOW_RANGE' });
    expect(problem?.message).toMatch(/is ignored. Did you mean FI_TCP_PORT_LOW_RANGE\?$/);
    expect(problems.find(({ variable }) => variable === 'FI_COMPLETELY_DIFFERENT_THING')).not.toHaveProperty(
      'suggestion',
    );
  });

  it('warns of a variable that was set too late', () => {
    getParams();
    expect(checkEnvironment()).toEqual([]);
    process.env[LATE] = '40123';
    expect(checkEnvironment()).toMatchObject([{ variable: LATE, reason: 'too-late' }]);
    expect(checkEnvironment()[0]?.message).toMatch(/when it was not set/);
  });
});
