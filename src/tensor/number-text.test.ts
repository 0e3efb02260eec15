// Printed numbers against NumPy's own text (tools/parity/printing.py).

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DType } from '../engine/ir/dtype.js';
import { numberText } from './number-text.js';

interface Row {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
  readonly text: string;
}

const rows: readonly Row[] = JSON.parse(
  readFileSync(new URL('../../test/fixtures/printing.json', import.meta.url), 'utf8'),
);
const numberOf = (value: number | string): number =>
  value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value);

describe('numbers are printed as NumPy prints them', () => {
  it.each(rows.map((row) => ({ ...row, name: `${row.dtype} [${row.shape.join(', ')}]` })))(
    '$name',
    ({ data, shape, dtype, text }) => {
      expect(numberText(data.map(numberOf), shape, dtype)).toBe(text);
    },
  );
});
