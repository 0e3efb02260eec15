// Functions against a fixture of checksums: every row on the reference device, one in some on each tier of the CPU device.
import { describe, expect, test } from 'vitest';
import { setDevice } from 'nabla';
import { type Call, type Row, differences } from './checksums.js';
import { readFixture } from './pytorch.js';
import { TIERS } from './tiers.js';

/** One row in so many: compiling takes its time. All with NABLA_PARITY=all. */
const isComplete = process.env['NABLA_PARITY'] === 'all';
const SHARE = { reference: 1, wasm: isComplete ? 1 : 6, native: isComplete ? 1 : 24 };

/** One test for each operator and device; `isLenient` names operators that may give a result without elements where PyTorch refuses. */
export function functionParity(
  fixture: string,
  calls: Readonly<Record<string, Call>>,
  isLenient: ReadonlySet<string> = new Set(),
): void {
  const { cases } = readFixture<{ cases: Record<string, readonly Row[]> }>(`${fixture}.json`);

  test('every operator of the fixture is called', () => {
    expect(Object.keys(calls).sort()).toEqual(Object.keys(cases).sort());
  });

  describe.each(TIERS)('on $device', ({ device, tolerance }) => {
    test.each(Object.keys(calls))(
      '%s',
      async (name) => {
        setDevice(device);
        const rows = cases[name].filter((_, i) => i % SHARE[device] === name.length % SHARE[device]);
        const wrong = await differences(name, calls[name], rows, Math.max(tolerance, 1e-5), isLenient.has(name));
        expect(wrong).toEqual([]);
      },
      300_000,
    );
  });
}
