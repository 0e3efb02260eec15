// The examples run to their end and say what they promise.
import { expect, test, vi } from 'vitest';

test('digits', async () => {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  await import('../examples/digits.js');
  log.mockRestore();
  expect(lines).toHaveLength(11);
  expect(Number(/test accuracy ([\d.]+) %/.exec(lines[10])?.[1])).toBeGreaterThan(95);
}, 60_000);
