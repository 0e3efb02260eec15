// Rows for the routines of dense linear algebra. What they mean is tested against NumPy (src/functions/linalg, test/linalg.test.ts).

import * as build from '../../src/engine/ir/build.js';
import type { DenseArg } from '../../src/engine/ir/dense.js';
import { type OperatorCase, row } from './case.js';

/** Symmetric, positive definite, and with eigenvalues that lie apart. */
const MATRIX = [4, 1, 0.5, 1, 7, 0.25, 0.5, 0.25, 2];

export function denseCases(): OperatorCase[] {
  const arg = (own: Partial<DenseArg> & Pick<DenseArg, 'routine'>): DenseArg => ({
    isUpper: false,
    isUnit: false,
    hasVectors: false,
    columns: 3,
    call: '',
    ...own,
  });
  const of = (own: DenseArg, part: string, operands = 1): OperatorCase => {
    const inputs = Array.from({ length: operands }, () => ({
      shape: [2, 3, 3],
      dtype: 'float64' as const,
      domain: MATRIX,
    }));
    const name = `dense ${own.routine}${own.isUpper ? ' upper' : ''}, ${part}`;
    return row(name, inputs, (x) => build.densePart(build.dense(own, x), own, x, part), {
      tolerance: 1e-12,
      derivatives: 0,
    });
  };
  return [
    of(arg({ routine: 'lu' }), 'lu'),
    of(arg({ routine: 'cholesky' }), 'l'),
    of(arg({ routine: 'triangular' }), 'x', 2),
    of(arg({ routine: 'triangular', isUpper: true }), 'x', 2),
    of(arg({ routine: 'qr' }), 'qr'),
    of(arg({ routine: 'eigh' }), 'values'),
    of(arg({ routine: 'svd' }), 'values'),
  ];
}
