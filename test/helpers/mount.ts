/** Mount namespaces, for tests that need another view of the file system. */
import { execFileSync } from 'node:child_process';

/** Whether this process may mount, in a namespace of its own: root outside of a locked-down container. */
export function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
