// The presets of agents, small: they learn a little, measure, report with arrows or an episode, and keep an animation.
import { afterEach, expect, test } from 'vitest';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printedBy } from '../../../test/support/command-line.js';

let folder = '';
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const train = (...args: string[]): Promise<string> => printedBy('train', ...args);

test('frozen-lake: arrows, an episode, an animation; taken up again', async () => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-agents-'));
  const out = join(folder, 'lake');
  const small = ['--set', 'slippery=false', '--set', 'stepsPerEpoch=3840', '--epochs', '2'];
  const text = await train('frozen-lake', '--out', out, ...small);
  expect(text).toMatch(/training +validation/);
  expect(text).toMatch(/loss +return +return/);
  expect(text).toMatch(/Test return [01]\.\d{4}/);
  expect(text).toMatch(/↓ . . .     ↓/);
  expect(text).toMatch(/An episode of \d+ steps, return [01]:/);
  const picture = readFileSync(join(out, 'episode.png'));
  expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([160, 160]);
  expect(existsSync(join(out, 'best.safetensors'))).toBe(true);
  const longer = await train('--resume', out, '--epochs', '3');
  expect(longer).toMatch(/3\/3/);
  expect(longer).toMatch(/Test return 1\.0000/);
}, 60_000);

test.each([
  ['cartpole-ppo', ['--set', 'stepsPerEpoch=1024']],
  ['cartpole-dqn', ['--set', 'stepsPerEpoch=256']],
] as const)(
  '%s',
  async (name, settings) => {
    folder = mkdtempSync(join(tmpdir(), 'nabla-agents-'));
    const out = join(folder, 'pole');
    const text = await train(name, '--epochs', '1', '--out', out, ...settings);
    expect(text).toMatch(/Test return \d+\.\d{4}/);
    expect(text).toMatch(/An episode of \d+ steps[\s\S]*⣿/);
    expect(text).toContain(`Picture: ${join(out, 'episode.png')}`);
    const events = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
    const epoch = events.map((line) => JSON.parse(line)).find(({ event }) => event === 'epoch');
    expect(epoch).toMatchObject({ train: { return: expect.any(Number) }, validation: { return: expect.any(Number) } });
  },
  60_000,
);
