// Functions of functions, attention with grouped and added keys, and tables of embeddings, values and gradients, against PyTorch
// (test/fixtures/function-transforms.json, made by tools/parity/function_transforms.py).
import * as nabla from 'nabla';
import { type AnyTensor, type Tensor, grad, hessian, hvp, jacfwd, jacrev, jvp, tensor, vjp, vmap } from 'nabla';
import { Embedding, EmbeddingBag, LayerNorm, MultiheadAttention, crossEntropy, functionalCall } from 'nabla/nn';
import type { Call } from './support/checksums.js';
import { functionParity } from './support/function-parity.js';

type Whole = Tensor<number[], 'int32'>;
const whole = (t: Tensor): Whole => t as unknown as Whole;
const affine = (x: Tensor, w: Tensor, b: Tensor): Tensor => x.matmul(w.T as Tensor).add(b) as Tensor;

const mlp = ([w1, b1, w2]: Tensor[], x: Tensor): Tensor => affine(x, w1, b1).tanh().matmul(w2.T) as Tensor;
const squared = (p: Tensor[], x: Tensor, y: Tensor): Tensor => mlp(p, x).sub(y).square().mean() as Tensor;
const convolved = ({ w, b }: { w: Tensor; b: Tensor }, x: Tensor): Tensor =>
  nabla.conv2d(x.unsqueeze(0), w, { bias: b, padding: 1 }).relu().mean([2, 3]).square().sum() as Tensor;
const classified = (table: Tensor, w: Tensor, x: Tensor, y: Tensor): Tensor => {
  const h = new LayerNorm(4).forward(
    nabla.embedding(table as Tensor<[number, number]>, whole(x)).mean(0) as Tensor,
  ) as Tensor;
  return crossEntropy(h.matmul(w.T).unsqueeze(0) as Tensor, whole(y.unsqueeze(0) as Tensor)) as Tensor;
};
const attended = (q: Tensor, k: Tensor, v: Tensor): Tensor =>
  (nabla.scaledDotProductAttention(q, k, v, { isCausal: true }) as Tensor).square().sum() as Tensor;

const field = (x: Tensor): Tensor => {
  const [a, b, c] = x.unbind(0) as Tensor[];
  return nabla.stack([a.mul(b), c.sin(), x.prod(), x.square().sum()] as Tensor[]) as Tensor;
};
const bowl = (x: Tensor): Tensor => x.pow(3).sum().mul(x.sin().sum()) as Tensor;

const grouped: Call = ([q, k, v, mask], [isCausal]) =>
  nabla.scaledDotProductAttention(q, k, v, { isCausal: isCausal ?? false, mask, enableGqa: true });

const multihead: Call = ([q, large, shift, o, kv, padding], [addZeroAttn, addBiasKv, kind]) => {
  const [w, b] = [large.mul(0.25), shift.mul(0.25)];
  const layer = new MultiheadAttention(4, 2, { addZeroAttn, addBiasKv, batchFirst: true });
  const keys = { bias_k: b.slice(0, 0, 4).reshape([1, 1, 4]), bias_v: b.slice(0, 4, 8).reshape([1, 1, 4]) };
  const own = { in_proj_weight: w, in_proj_bias: b, 'out_proj.weight': o, 'out_proj.bias': b.slice(0, 0, 4) };
  const isPast = nabla.ones([3, 3]).triu(1);
  const mask = String(kind);
  return functionalCall(layer, addBiasKv ? { ...own, ...keys } : own, q, kv, kv, {
    attnMask: mask === 'bool' ? isPast.gt(0) : mask === 'float' ? nabla.where(isPast.gt(0), -Infinity, 0) : undefined,
    keyPaddingMask: mask === 'padding' ? padding : undefined,
  });
};

const bags: Call = ([w, x], [mode, offsets, includeLastOffset, paddingIdx]) => {
  const layer = new EmbeddingBag(5, 3, { mode, includeLastOffset, paddingIdx: paddingIdx ?? undefined });
  const at = offsets === null ? undefined : tensor(Int32Array.from(offsets as number[]));
  return functionalCall(layer, { weight: w }, x, at);
};

functionParity('function-transforms', {
  perSample: ([w1, b1, w2, x, y]) => vmap(grad(squared), { inDims: [null, 0, 0] })([w1, b1, w2], x, y),
  perImage: ([w, b, x]) => Object.values(vmap(grad(convolved), { inDims: [null, 0] })({ w, b }, x)),
  perText: ([table, w, x, y]) =>
    vmap(grad(classified, { argnums: [0, 1] }), { inDims: [null, null, 0, 0] })(table, w, x, y),
  perSequence: (qkv) => vmap(grad(attended, { argnums: [0, 1, 2] }))(...(qkv as [Tensor, Tensor, Tensor])),
  ensemble: ([w, b, x]) => vmap(affine, { inDims: [null, 0, 0] })(x, w, b),
  dims: ([x, w], [inDims, outDims]) =>
    vmap((v: Tensor) => v.mul(w).sum(1).unsqueeze(0).mul(v) as Tensor, { inDims, outDims })(x),
  nested: ([a, b]) => vmap((u: Tensor) => vmap((v: Tensor) => u.sub(v).abs().sum())(b))(a),
  jacrev: ([x]) => jacrev(field)(x),
  jacfwd: ([x]) => jacfwd(field)(x),
  jacobiansOfBoth: ([a, b]) => jacrev((u: Tensor, v: Tensor) => u.matmul(v).tanh(), { argnums: [0, 1] })(a, b),
  hessian: ([x]) => hessian(bowl, x),
  hvp: ([x, v]) => hvp(bowl, x, v).product,
  jvp: ([x, v]) => Object.values(jvp(field, [x], [v])),
  vjp: ([x, v]) => vjp(field, x).pull(v as AnyTensor),
  hessians: ([x]) => vmap((v: Tensor) => hessian(bowl, v))(x),
  thirdDerivatives: ([x]) => jacrev(jacfwd(jacrev(bowl)))(x),
  grouped,
  groupedMasked: grouped,
  causal: ([q, k, v]) => nabla.scaledDotProductAttention(q, k, v as never, { isCausal: true }),
  multihead,
  embedding: ([w, x], [padding, scaleGradByFreq]) =>
    functionalCall(new Embedding(5, 3, { paddingIdx: padding ?? undefined, scaleGradByFreq }), { weight: w }, x),
  renormalised: ([w, x], [maxNorm, p]) => {
    const layer = new Embedding(5, 3, { maxNorm, normType: Number(p === 'inf' ? Infinity : p) });
    layer.weight.assign_(w.detach() as AnyTensor);
    return layer.forward(whole(x)).detach();
  },
  bags,
  weightedBags: ([w, x, s]) => functionalCall(new EmbeddingBag(5, 3, { mode: 'sum' }), { weight: w }, x, undefined, s),
});
