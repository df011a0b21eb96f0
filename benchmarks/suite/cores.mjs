/** Two processors that do not share a core. */
import { readFileSync } from 'node:fs';

/** Numbers of a list as the kernel writes it: 0-3,8. @param {string} text */
function parseList(text) {
  return text
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first = NaN, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** The processors that run on the same core. @param {number} processor */
function siblings(processor) {
  try {
    return parseList(readFileSync(`/sys/devices/system/cpu/cpu${processor}/topology/thread_siblings_list`, 'utf8'));
  } catch {
    return [processor];
  }
}

/** @returns {[number, number]} for the client, for the server; the same one where this process may use only one */
export function chooseCores() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const allowed = parseList(/^Cpus_allowed_list:(.*)$/m.exec(status)?.[1] ?? '0');
  const [first = 0] = allowed;
  const taken = siblings(first);
  return [first, allowed.find((processor) => !taken.includes(processor)) ?? allowed[1] ?? first];
}
