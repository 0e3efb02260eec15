// A run that is killed at random moments ends with the weights and the record of an unbroken one. tools/soak/kills.mjs does
// the same a hundred times.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { killAndResume } from '../../../test/support/kills.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));

beforeAll(() => {
  const built = spawnSync(process.execPath, ['scripts/setup.mjs', '--build'], { cwd: root, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.stdout}${built.stderr}`);
}, 120_000);

test('six kills', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'nabla-kills-'));
  try {
    const { killed } = await killAndResume({ cwd, kills: 6, seed: 3, epochs: 12, spread: 200 });
    expect(killed).toBeGreaterThanOrEqual(1); // a fast machine may finish before the sixth
  } finally {
    rmSync(cwd, { recursive: true });
  }
}, 120_000);
