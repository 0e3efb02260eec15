// Meaning of the routines of dense linear algebra (ir/dense.ts), one matrix after the other. Other algorithms than those of the compiler
// where there are simpler ones, so that each is a check on the other.

import { NOT_FINITE, type Part, type Routine, layoutOfNode } from '../../../ir/dense.js';
import { failedMatrix } from '../../../ir/errors.js';
import type { Meanings } from '../value.js';
import { solveTriangular, toCholesky, toLdl, toLu } from './factors.js';
import type { Routines } from './given.js';
import { fromReflections, toQr } from './reflections.js';
import { toSchurVectors } from './schur.js';
import { toEigenvalues, toSingularValues } from './spectra.js';

/** Each gives `info`. */
const ROUTINES: Readonly<Record<Routine, (given: Routines) => number>> = {
  lu: toLu,
  cholesky: toCholesky,
  triangular: solveTriangular,
  qr: toQr,
  householder: fromReflections,
  eigh: toEigenvalues,
  svd: toSingularValues,
  eig: toSchurVectors,
  ldl: toLdl,
};

export const DENSE: Meanings<'dense'> = {
  dense: (operands, node) => {
    const out = new Float64Array(node.size);
    const { length, parts } = layoutOfNode(node);
    const count = node.size / length;
    const [m, n] = operands[0].shape.slice(-2);
    const { routine, isUpper, isUnit, call } = node.arg;
    for (let matrix = 0; matrix < count; matrix++) {
      const own = operands.map(({ data }) =>
        data.slice((matrix * data.length) / count, ((matrix + 1) * data.length) / count),
      );
      const view = ({ at, size }: Part): Float64Array =>
        out.subarray(matrix * length + at, matrix * length + at + size);
      const info = infoOf(routine, { m, n, isUpper, isUnit, operands: own, result: (name) => view(parts[name]) });
      if (parts.info !== undefined) view(parts.info)[0] = info;
      if (info !== 0 && call !== '') throw failedMatrix(node.arg, info, count === 1 ? -1 : matrix);
    }
    return out;
  },
};

function infoOf(routine: Routine, given: Routines): number {
  const info = ROUTINES[routine](given);
  if (routine === 'triangular') return info === 0 && !given.result('x').every(Number.isFinite) ? NOT_FINITE : info;
  if (routine === 'householder') return info;
  const [a] = given.operands;
  const isTriangle = routine === 'cholesky' || routine === 'eigh' || routine === 'ldl';
  const isRead = (i: number): boolean => !isTriangle || i % given.n <= Math.floor(i / given.n);
  return a.every((x, i) => !isRead(i) || Number.isFinite(x)) ? info : NOT_FINITE;
}
