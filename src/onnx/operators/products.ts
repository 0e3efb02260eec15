// Products of matrices.

import { einsum } from '../../functions/einsum.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { Call, Operators } from './operator.js';

/** Whole numbers are multiplied as real ones, exact up to 2²⁴ in float32; float64 takes what is larger. */
function product(a: Tensor, b: Tensor): AnyTensor {
  if (a.dtype.includes('float')) return a.matmul(b);
  return a.to('float64').matmul(b.to('float64')).to(a.dtype);
}

/** α·A'·B' + β·C */
function gemm(call: Call): AnyTensor {
  let [a, b] = [call.tensor(0), call.tensor(1)];
  const [alpha, beta] = [call.float('alpha', 1), call.float('beta', 1)];
  if (call.flag('transA')) a = a.transpose(0, 1);
  if (call.flag('transB')) b = b.transpose(0, 1);
  const ab = product(a, b) as Tensor;
  const scaled = alpha === 1 ? ab : ab.mul(alpha);
  const c = call.maybe(2);
  if (c === undefined || beta === 0) return scaled.to(a.dtype);
  return scaled.add(beta === 1 ? c : c.mul(beta)).to(a.dtype);
}

/** Of square matrices: by elimination with the largest pivot of each column. */
function determinant(call: Call): AnyTensor {
  const x = call.tensor(0);
  const n = x.shape[x.rank - 1];
  const batch = x.shape.slice(0, -2);
  let rest: Tensor = x.reshape([x.size / (n * n || 1), n, n]);
  let result: Tensor | undefined;
  for (let size = n; size > 0; size--) {
    // the row with the largest first element comes first; an exchange of two rows changes the sign
    const column: Tensor = rest.slice(2, 0, 1).reshape([rest.shape[0], size]);
    const at = column.abs().argmax(1);
    const pick: Tensor = at.oneHot(size).to(rest.dtype) as AnyTensor as Tensor;
    const pivotRow: Tensor = pick.unsqueeze(1).matmul(rest);
    const pivot: Tensor = pivotRow.slice(2, 0, 1).reshape([rest.shape[0]]);
    const sign: Tensor = at.eq(0).to(rest.dtype).mul(2).sub(1) as AnyTensor as Tensor;
    const factor = size === 1 ? pivot : pivot.mul(sign);
    result = result === undefined ? factor : result.mul(factor);
    if (size === 1) break;
    // the first row goes to where the pivot was
    const first: Tensor = rest.slice(1, 0, 1);
    const mask: Tensor = pick.unsqueeze(2);
    const exchanged: Tensor = rest.mul(mask.neg().add(1)).add(mask.matmul(first));
    const below: Tensor = exchanged.slice(1, 1);
    const safe: Tensor = pivot.add(pivot.eq(0).to(rest.dtype)).reshape([rest.shape[0], 1, 1]);
    const ratio: Tensor = below.slice(2, 0, 1).div(safe);
    const eliminated: Tensor = below.sub(ratio.matmul(pivotRow));
    rest = eliminated.slice(2, 1);
  }
  return (result as Tensor).reshape(batch);
}

export const PRODUCTS: Operators = {
  MatMul: { inputs: [2, 2], run: (call) => call.as(product(call.tensor(0), call.tensor(1)), call.type(0)) },
  Gemm: { inputs: [2, 3], weights: [1, 2], run: gemm },
  Einsum: {
    inputs: [1, Infinity],
    run: (call) => einsum(call.text('equation').replaceAll(' ', ''), ...call.tensors()),
  },
  Det: { inputs: [1, 1], run: determinant },
};
