/** The examples do what they say. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { changed, healthy, inDocker, temporaryFolder, write, type Machine } from './machines.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = join(ROOT, 'dist/cli/fabric-doctor.js');
const p4d = healthy('p4d.24xlarge');
const withoutDevices = changed(p4d, { files: inDocker, without: ['/dev/infiniband'] });

describe('the health gate', () => {
  async function ask(machine: Machine): Promise<{ status: number; body: Record<string, unknown>; metrics: string }> {
    const child = spawn(process.execPath, [join(ROOT, 'examples/health-gate/server.mjs'), '0'], {
      env: { ...process.env, FABRIC_DOCTOR_ROOT: write(machine) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const line = await new Promise<string>((done, refuse) => {
        child.stdout.setEncoding('utf8').once('data', done);
        child.once('exit', () => {
          refuse(new Error('it ended'));
        });
      });
      const address = `http://127.0.0.1:${/port (\d+)/.exec(line)![1]!}`;
      const ready = await fetch(`${address}/ready`);
      const body = (await ready.json()) as Record<string, unknown>;
      const metrics = await (await fetch(`${address}/metrics`)).text();
      return { status: ready.status, body, metrics };
    } finally {
      child.kill('SIGKILL');
    }
  }

  it('is ready on EFA', async () => {
    const { status, body, metrics } = await ask(p4d);
    expect(status).toBe(200);
    expect(body['verdict']).toBe('usable');
    expect(metrics).toContain('fabric_doctor_verdict{verdict="usable",first_failure=""} 1');
    expect(metrics).toContain('fabric_doctor_efa_devices 4');
  });

  it('is not ready without, and says why', async () => {
    const { status, body, metrics } = await ask(withoutDevices);
    expect(status).toBe(503);
    expect(body).toMatchObject({ verdict: 'fallback', firstFailure: 'DEV-01' });
    expect(metrics).toContain('fabric_doctor_verdict{verdict="fallback",first_failure="DEV-01"} 1');
  });
});

describe('the health check of Slurm', () => {
  function check(machine: Machine): { code: number | null; said: string } {
    const scontrol = join(temporaryFolder(), 'scontrol');
    writeFileSync(scontrol, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
    chmodSync(scontrol, 0o755);
    const { status, stdout } = spawnSync(
      'sh',
      [join(ROOT, 'examples/slurm/efa-health-check.sh'), '--root', write(machine)],
      {
        env: {
          ...process.env,
          FABRIC_DOCTOR: `${process.execPath} ${PROGRAM}`,
          SCONTROL: scontrol,
          SLURMD_NODENAME: 'node-1',
        },
        encoding: 'utf8',
      },
    );
    return { code: status, said: stdout };
  }

  it('leaves a good node alone', () => {
    expect(check(p4d)).toEqual({ code: 0, said: '' });
  });

  it('drains one without EFA, with the reason', () => {
    expect(check(withoutDevices)).toEqual({
      code: 1,
      said: 'update\nNodeName=node-1\nState=DRAIN\nReason=EFA: DEV-01 Device nodes are here\n',
    });
  });
});

describe('the pod of Kubernetes', () => {
  it('starts with an init container whose command fabric-doctor understands', () => {
    const pod = parse(readFileSync(join(ROOT, 'examples/kubernetes/pod.yaml'), 'utf8')) as {
      spec: { initContainers: { command: string[]; resources: unknown }[]; containers: { resources: unknown }[] };
    };
    const [init] = pod.spec.initContainers;
    expect(init!.command.slice(0, 3)).toEqual(['npx', '--no-install', 'fabric-doctor']);
    expect(init!.resources).toEqual(pod.spec.containers[0]!.resources);
    const run = (machine: Machine): number | null =>
      spawnSync(process.execPath, [PROGRAM, ...init!.command.slice(3), '--root', write(machine)]).status;
    expect([run(p4d), run(withoutDevices)]).toEqual([0, 2]);
  });
});
