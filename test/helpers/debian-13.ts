/** Programs in build/trixie, a Debian 13 that scripts/debian-13-root.sh makes. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, isSanitized } from './child.js';
import { canMount } from './mount.js';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const DEBIAN = join(CHECKOUT, 'build/trixie');

/** Where the checkout is, as seen from there. */
export const CHECKOUT_IN_DEBIAN_13 = '/opt/checkout';

/** Why nothing can run there. */
export function debian13Obstacle(): string | undefined {
  if (!existsSync(join(DEBIAN, 'usr/bin/fi_info')))
    return 'there is no build/trixie; scripts/debian-13-root.sh makes it';
  if (!canMount()) return 'mounting is not allowed';
  if (isSanitized) return "the sanitizers' run-time library of this system does not fit another one";
  return undefined;
}

// In a mount namespace of its own, so that nothing is left behind: $0 the root, $1 the checkout, $2 node.
const ENTER = `
  mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && mount --rbind /sys "$0/sys" &&
  mount -t tmpfs none "$0/tmp" && mount -t tmpfs none "$0/opt" && mkdir "$0/opt/checkout" && touch "$0/opt/node" &&
  mount --bind "$1" "$0/opt/checkout" && mount --bind "$2" "$0/opt/node" && root=$0 && shift 2 &&
  exec chroot "$root" "$@"`;

/** The command that runs another one there; node is `/opt/node`. */
export const inDebian13: readonly string[] = ['unshare', '-m', 'sh', '-c', ENTER, DEBIAN, CHECKOUT, process.execPath];

/** The variables that differ there. */
export function environmentInDebian13(): NodeJS.ProcessEnv {
  const chosen = process.env['NODE_LIBFABRIC_ADDON'];
  const addon = chosen === undefined ? '' : join(CHECKOUT_IN_DEBIAN_13, relative(CHECKOUT, chosen));
  // the certificates are a file of the system outside, where they are set
  return { NODE_LIBFABRIC_ADDON: addon, NODE_EXTRA_CA_CERTS: '' };
}

/** Starts a program there. */
export function startInDebian13(command: readonly string[], environment: NodeJS.ProcessEnv = {}): Child {
  const [entering, ...rest] = [...inDebian13, ...command] as [string, ...string[]];
  return new Child(`${command.join(' ')} in Debian 13`, entering, rest, {
    ...environmentInDebian13(),
    ...environment,
  });
}

/** Starts test/fixtures/NAME there. */
export const startFixtureInDebian13 = (name: string, args: readonly string[], environment?: NodeJS.ProcessEnv): Child =>
  startInDebian13(['/opt/node', `${CHECKOUT_IN_DEBIAN_13}/test/fixtures/${name}`, ...args], environment);
