/** Nothing secret leaves a machine in a bundle, and what leaves it is enough. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { examine, LiveHost, TreeHost, writeBundle } from 'node-libfabric/doctor';
import { readMounts, withoutSecrets } from '../../lib/doctor/survey/mounts.js';
import { temporaryFolder } from './machines.js';

const SECRET = 's3cr3t-value';

/** Every regular file in a folder, whatever is in it. */
const contents = (folder: string): Buffer[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));

describe('a bundle', () => {
  it('has no variable but those that checks read', async () => {
    const letters = fc.stringMatching(/^[A-Z_]{1,20}$/);
    const prefix = fc.constantFrom(
      '',
      'AWS_',
      'NCCL',
      'FI',
      'X_NCCL_',
      'HF_',
      'LD_LIBRARY_PATH_',
      'MY_FI_EFA_',
      'ENROOT_',
    );
    const names = fc.sample(
      fc.tuple(prefix, letters).map((parts) => parts.join('')),
      300,
    );
    const secrets = ['AWS_SECRET_ACCESS_KEY', 'FI_PSM3_UUID', 'NCCL_COMM_ID', 'OMPI_MCA_orte_hnp_uri', 'WANDB_API_KEY'];
    const environment = {
      ...Object.fromEntries([...names, ...secrets].map((name) => [name, SECRET])),
      ...{
        FI_PROVIDER: '^nosuch',
        NCCL_NET: 'Libfabric',
        ECS_CONTAINER_METADATA_URI_V4: `http://169.254.170.2/${SECRET}`,
      },
    };
    const folder = temporaryFolder();
    const file = join(folder, 'out.tar.gz');
    const host = new LiveHost(undefined, environment);
    const here = examine(host);
    const kept = await writeBundle(host, file);
    execFileSync('tar', ['-xzf', file, '-C', folder]);
    expect(contents(folder).filter((bytes) => bytes.includes(SECRET))).toEqual([]);
    expect(kept).toEqual(expect.arrayContaining(['FI_PROVIDER', 'NCCL_NET', 'ECS_CONTAINER_METADATA_URI_V4']));
    expect(kept.filter((name) => secrets.includes(name))).toEqual([]);

    const there = examine(new TreeHost(folder));
    expect(there.survey.identity.container?.kind).toBe('ecs');
    expect([there.verdict, there.summary]).toEqual([here.verdict, here.summary]);
  });

  it('has no source and no option of a mount', () => {
    const word = fc.constantFrom(
      '/dev/shm',
      '/opt/amazon/efa',
      '/mnt',
      'tmpfs',
      'user=me,password=x',
      'rw,size=65536k',
      '',
    );
    const root = temporaryFolder();
    fc.assert(
      fc.property(fc.array(fc.array(word, { minLength: 2, maxLength: 6 })), (lines) => {
        const text = lines.map((words) => words.join(' ')).join('\n');
        const read = (mounts: string): unknown => {
          mkdirSync(join(root, 'proc/self'), { recursive: true });
          writeFileSync(join(root, 'proc/self/mounts'), mounts);
          return readMounts(new TreeHost(root));
        };
        expect(withoutSecrets(text)).not.toMatch(/password|mnt|user/);
        expect(read(withoutSecrets(text))).toEqual(read(text));
      }),
    );
  });
});
