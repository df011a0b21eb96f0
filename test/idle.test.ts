import { describe, expect, it } from 'vitest';
import { startNode } from './helpers/child.js';
import { overEachProvider } from './helpers/providers.js';

describe.concurrent('an endpoint without traffic', () => {
  overEachProvider((_, provider) => {
    it.each([
      ['auto', 'a receive pending'],
      ['wait', 'a receive pending'],
      ['auto', 'nothing pending'],
    ])('costs next to no CPU in mode %s with %s', async (progress, pending) => {
      await using child = startNode('idle', [provider, progress, pending]);
      const { code, stderr, stdout } = await child.ended();
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const { share } = JSON.parse(stdout) as { share: number };
      expect(share, 'share of a core').toBeLessThan(0.05);
    });
  });
});
