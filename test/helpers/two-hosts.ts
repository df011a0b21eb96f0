/** Two network namespaces with two cables between them: two hosts, as far as a network can tell. */
import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe } from 'vitest';

export interface Link {
  readonly name: string;
  readonly address: string;
}

export interface Host {
  readonly name: string;
  /** Two, so that data and control can go different ways. */
  readonly links: readonly [Link, Link];
}

const id = process.pid;
const subnet = id % 250;

const hostOf = (letter: string, index: number): Host => {
  const link = (network: number): Link => ({
    name: `f${letter}${network}-${id}`,
    address: `10.${network + 190}.${subnet}.${index + 1}`,
  });
  return { name: `fabric-${letter}-${id}`, links: [link(10), link(11)] };
};

/** ip(8). */
export const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });

/** What runs a command on a host. */
export const inside = ({ name }: Host): string[] => ['ip', 'netns', 'exec', name];

/** Why there can be no namespaces here; undefined when there can. */
function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  const trial = `fabric-trial-${id}`;
  const added = spawnSync('ip', ['netns', 'add', trial], { encoding: 'utf8' });
  if (added.error) return `no ip command: ${added.error.message}`;
  if (added.status !== 0) return `no network namespaces: ${added.stderr.trim()}`;
  ip('netns', 'delete', trial);
  return undefined;
}

function connect(one: Host, other: Host): void {
  for (const { name } of [one, other]) ip('netns', 'add', name);
  for (const [index, { name }] of one.links.entries()) {
    const end = ['netns', one.name, 'type', 'veth'];
    const otherEnd = ['name', other.links[index]!.name, 'netns', other.name];
    ip('link', 'add', name, ...end, 'peer', ...otherEnd);
  }
  for (const host of [one, other]) {
    ip('-n', host.name, 'link', 'set', 'lo', 'up');
    for (const { name, address } of host.links) {
      ip('-n', host.name, 'address', 'add', `${address}/24`, 'dev', name);
      ip('-n', host.name, 'link', 'set', name, 'up');
    }
  }
}

/** Describes what two hosts do with each other; skipped with the reason where there can be none. */
export function betweenTwoHosts(name: string, body: (one: Host, other: Host) => void): void {
  const reason = whyNot();
  if (reason !== undefined) console.log(`skipped: ${name}: ${reason}`);
  describe.skipIf(reason !== undefined)(name, () => {
    const one = hostOf('a', 0);
    const other = hostOf('b', 1);
    beforeAll(() => {
      connect(one, other);
    });
    afterAll(() => {
      for (const host of [one, other]) spawnSync('ip', ['netns', 'delete', host.name]);
    });
    body(one, other);
  });
}
