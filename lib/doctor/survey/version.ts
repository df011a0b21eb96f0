/** Versions as drivers, packages and libraries have them: numbers with dots, then whatever. */

const numbersOf = (version: string): number[] => (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);

/** Below zero when `a` is older; what follows the numbers does not count: 3.1.0g, 3.1.0-1.amzn2023. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether `version` is `least` or newer. */
export const isAtLeast = (version: string, least: string): boolean => compareVersions(version, least) >= 0;
