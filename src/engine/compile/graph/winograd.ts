// Convolutions of 3×3 in fewer multiplications (Winograd's F(2×2, 3×3); Lavin and Gray, "Fast Algorithms for Convolutional
// Neural Networks", 2016). A tile of 2×2 results is y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A, with x the 4×4 elements under it: 16
// multiplications a channel instead of 36. Summed over channels, each of the 16 positions is a product of matrices.
// The weights are transformed by a kernel of their own; the rest is one kernel (lower-winograd.ts), whose tiles stay in
// the cache. An input gradient with stride 1 is a convolution of dy with the kernel turned around. In a weight gradient the
// same three factors change places: dw = Gᵀ [Σ (A dy Aᵀ) ⊙ (Bᵀ x B)] G, summed over all tiles.
// The transforms add and subtract, so rounding is like that of the direct sum (within a small factor), and an infinite
// input makes the results that see it NaN where the direct sum may still be infinite.
// Input and output: a list of nodes in order. Not here: how it is computed.

import { type Node, isOp } from '../../ir/node.js';
import type { ConvSpec, OpArgs } from '../../ir/op.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

/** Channels from which transforms are cheap beside the products. */
const FEWEST_CHANNELS = 32;
/** Tiles below which the transform of the weights is dear, unless it is kept from run to run; and where that is not worth it. */
const FEWEST_TILES = 64;
const FEWEST_TILES_IF_KEPT = 12;
const MOST_TILES_IF_KEPT = 1024;
/** Weights from which keeping pays. */
const LEAST_KEPT = 32 << 10;
/** Input channels of a weight gradient come in whole panels. */
const CHANNELS_OF_GRADIENT = 32;
/** Tiles in a row up to which its code, a line without loops, stays short. */
const LONGEST_ROW = 64;

/** `assigned` are the inputs that the program overwrites. */
export function useWinograd(nodes: readonly Node[], assigned: ReadonlySet<Node>): Rewritten {
  return rewrite(nodes, (node, push) => {
    if (isOp(node, 'conv')) {
      const [x, w] = node.src;
      const isKept = w.op === 'leaf' && !assigned.has(w) && w.size >= LEAST_KEPT && tilesOf(node) <= MOST_TILES_IF_KEPT;
      if (!fits(node, w, node.arg, isKept ? FEWEST_TILES_IF_KEPT : FEWEST_TILES)) return undefined;
      return convolution(node, x, w, node.arg.lo, { turned: false, isKept }, push);
    }
    if (isOp(node, 'convInput')) {
      const [dy, w] = node.src;
      const lo = node.arg.lo.map((n) => 2 - n);
      if (!fits(node, w, node.arg, FEWEST_TILES)) return undefined;
      return convolution(node, dy, w, lo, { turned: true, isKept: false }, push);
    }
    if (isOp(node, 'convWeight')) {
      const [x, dy] = node.src;
      if (
        !fits(dy, node, node.arg, FEWEST_TILES) ||
        x.shape[1] % CHANNELS_OF_GRADIENT !== 0 ||
        dy.shape[3] > 2 * LONGEST_ROW
      )
        return undefined;
      const shape = [16, dy.shape[1], x.shape[1]];
      const sums = push(derive(node, 'winogradGradient', [x, dy], { lo: node.arg.lo }, shape));
      return derive(node, 'winogradKernel', [sums], null, node.shape);
    }
    return undefined;
  });
}

function convolution(
  like: Node,
  x: Node,
  w: Node,
  lo: readonly number[],
  transform: OpArgs['winogradWeights'],
  push: (n: Node) => Node,
): Node {
  const [out, channels] = w.shape;
  const shape = transform.turned ? [16, channels, out] : [16, out, channels];
  const weights = push(derive(w, 'winogradWeights', [w], transform, shape));
  return derive(like, 'winograd', [x, weights], { lo, output: like.shape.slice(2) }, like.shape);
}

/** Is it float32, 3×3, without strides and groups, and large enough? */
function fits(result: Node, w: { readonly shape: readonly number[] }, spec: ConvSpec, fewest: number): boolean {
  const [out, channels, ...kernel] = w.shape;
  if (result.dtype !== 'float32') return false;
  const isPlain = [...spec.stride, ...spec.dilation, spec.groups].every((n) => n === 1);
  if (!isPlain || kernel.length !== 2 || kernel.some((n) => n !== 3)) return false;
  return Math.min(out, channels) >= FEWEST_CHANNELS && tilesOf(result) >= fewest;
}

/** Tiles of 2×2 of a result. */
export function tilesOf({ shape: [batch, , height, width] }: Node): number {
  return batch * Math.ceil(height / 2) * Math.ceil(width / 2);
}
