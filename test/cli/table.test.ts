import { describe, expect, it } from 'vitest';
import { wrap } from '../../lib/cli/table.js';

describe('wrap', () => {
  it('breaks at spaces, within 80 columns, and indents what follows', () => {
    const lines = wrap('  why  ', 'word '.repeat(40).trim());
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines[0]).toMatch(/^ {2}why {2}word word/);
    expect(lines.slice(1).every((line) => /^ {7}word/.test(line))).toBe(true);
    expect(lines.join(' ').match(/word/g)).toHaveLength(40);
  });

  it('keeps a command in backquotes whole, so that it can be copied', () => {
    const command = '`fabric-pingpong serve --port 7790 -p "tcp;ofi_rxm"`';
    const lines = wrap('  ', `both ends have FI_PROTO_RXM; server: ${command}, client: ${command}`);
    expect(lines).toEqual(['  both ends have FI_PROTO_RXM; server:', `  ${command}, client:`, `  ${command}`]);
  });

  it('breaks a command that no line can hold', () => {
    expect(wrap('', `\`${'word '.repeat(20)}\``).every((line) => line.length <= 80)).toBe(true);
  });
});
