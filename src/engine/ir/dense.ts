// Routines of dense linear algebra: factorisations of matrices, and systems with triangular ones. They are one operator, `dense`, of
// float64 operands [..., m, n]. A routine has several results; they lie one after the other in one row of numbers for each matrix, and
// this file says where. Whole numbers (pivots, what went wrong) are float64 as well.
// Must not know: how a routine works (compile/lower/dense, device/reference/dense.ts), what is made of it (src/functions/linalg).

type Shape = readonly number[];

/**
 * - lu: P·A = L·U with row exchanges. `lu` has U and below it L, `pivots` the row that changed places with row i, `order` the row of A that
 *   is row i of P·A, `info` the first pivot that is 0, counted from 1.
 * - cholesky: A = L·Lᵀ, of the lower triangle of A. `info` is the order of the first leading block that is not positive definite.
 * - triangular: A⁻¹·B for a triangular A.
 * - qr: A = Q·R. `qr` has R and below it the Householder vectors, whose first element is 1; `tau` their factors.
 * - householder: the first `columns` columns of the product of the reflections I − tau·v·vᵀ. Operands: `qr` and `tau` as above.
 * - eigh: eigenvalues of a symmetric matrix (of its lower triangle), ascending, and eigenvectors as rows.
 * - svd: singular values of a square matrix, descending, and singular vectors as rows, left ones in `u`, right ones in `v`.
 * - eig: eigenvalues of a square matrix, real and imaginary parts, those of a pair one after the other, and eigenvectors as rows, of length 1
 *   and with the largest element real.
 * - ldl: P·A·Pᵀ = L·D·Lᵀ of a symmetric matrix (of its lower triangle) by Bunch and Kaufman's pivoting. `l` has ones on its diagonal, D has
 *   blocks of one and two rows: `d` on the diagonal, `e` below it; `order` has the row of A that is row i of P·A.
 */
export type Routine = 'lu' | 'cholesky' | 'triangular' | 'qr' | 'householder' | 'eigh' | 'svd' | 'eig' | 'ldl';

export interface DenseArg {
  readonly routine: Routine;
  /** triangular: A is an upper triangle. */
  readonly isUpper: boolean;
  /** triangular: the diagonal of A counts as ones. */
  readonly isUnit: boolean;
  /** eigh, svd, eig: vectors are wanted. Without them their places hold nothing of use. */
  readonly hasVectors: boolean;
  /** householder: columns of the result. */
  readonly columns: number;
  /** Whose failure ends the run with a LinAlgError, by the name of the user's call; '' where nobody is told but `info`. */
  readonly call: string;
}

export interface Part {
  readonly at: number;
  readonly shape: Shape;
  readonly size: number;
}

type Sizes = readonly (readonly [name: string, shape: Shape])[];

const SIZES: Readonly<Record<Routine, (m: number, n: number, columns: number) => Sizes>> = {
  lu: (m, n) => [
    ['lu', [m, n]],
    ['pivots', [Math.min(m, n)]],
    ['order', [m]],
    ['info', []],
  ],
  cholesky: (n) => [
    ['l', [n, n]],
    ['info', []],
  ],
  triangular: (n, _, columns) => [['x', [n, columns]]],
  qr: (m, n) => [
    ['qr', [m, n]],
    ['tau', [Math.min(m, n)]],
  ],
  householder: (m, _, columns) => [['q', [m, columns]]],
  eigh: (n) => [
    ['values', [n]],
    ['vectors', [n, n]],
    ['info', []],
  ],
  svd: (n) => [
    ['values', [n]],
    ['u', [n, n]],
    ['v', [n, n]],
    ['info', []],
    ['work', [n, n]],
  ],
  eig: (n) => [
    ['re', [n]],
    ['im', [n]],
    ['vectorsRe', [n, n]],
    ['vectorsIm', [n, n]],
    ['info', []],
  ],
  ldl: (n) => [
    ['l', [n, n]],
    ['d', [n]],
    ['e', [n]],
    ['order', [n]],
    ['info', []],
  ],
};

export interface Layout {
  readonly length: number;
  readonly parts: Readonly<Record<string, Part>>;
}

/** Where the results of a routine lie, for a first operand [..., m, n]; of `triangular`, `columns` are those of the second one. */
export function layoutOf(routine: Routine, m: number, n: number, columns: number): Layout {
  let length = 0;
  const parts: Record<string, Part> = {};
  for (const [name, shape] of SIZES[routine](m, n, columns)) {
    const size = shape.reduce((product, s) => product * s, 1);
    parts[name] = { at: length, shape, size };
    length += size;
  }
  return { length, parts };
}

/** The layout of a node's rows, from its argument and its operands. */
export function layoutOfNode(node: {
  readonly arg: DenseArg;
  readonly src: readonly { readonly shape: Shape }[];
}): Layout {
  const [a, b] = node.src;
  const [m, n] = a.shape.slice(-2);
  const { routine, columns } = node.arg;
  return layoutOf(routine, m, n, routine === 'triangular' ? b.shape[b.shape.length - 1] : columns);
}

/** ldl: a pivot of one row is taken if it is at least so large beside the largest element of its column; so numbers grow least (Bunch and Kaufman). */
export const LDL_ALPHA = (1 + Math.sqrt(17)) / 8;

/** `info` where what was given is no number. */
export const NOT_FINITE = -1;
