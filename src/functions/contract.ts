// Sums of products of tensors whose dimensions have labels: what einsum, tensordot, outer and dot are made of.
// Input: terms (a node and a label for each of its dimensions) and the labels of the result; output: a node. Two terms at a time,
// as one batched matrix product, or as a product by elements where nothing is summed that both have.

import * as build from '../engine/ir/build.js';
import type { Node } from '../engine/ir/node.js';
import { sizeOf } from '../engine/ir/shape.js';
import { asNumber } from '../tensor/operands.js';

/** A label is a letter, or the number of a dimension that the ellipsis stands for. */
export interface Term {
  readonly node: Node;
  readonly labels: readonly string[];
}

type Sizes = ReadonlyMap<string, number>;

/** Up to so many terms the order is the best one; beyond, the cheapest pair goes first. */
const MOST_EXHAUSTIVE = 8;

const isFloat = (x: Node): boolean => x.dtype !== 'int32' && x.dtype !== 'bool';

/** Σ of the product of all terms over the labels that `output` lacks, with dimensions in the order of `output`. */
export function contract(terms: readonly Term[], output: readonly string[]): Node {
  const sizes = new Map<string, number>();
  for (const { node, labels } of terms)
    labels.forEach((label, i) => (sizes.get(label) ?? 1) === 1 && sizes.set(label, node.shape[i]));
  // a size of 1 that is larger elsewhere repeats: the dimension is left out
  const own = terms.map((term) =>
    squeeze(
      term,
      term.labels.filter((label, i) => term.node.shape[i] === 1 && sizes.get(label) !== 1),
    ),
  );
  const last = own.length > MOST_EXHAUSTIVE ? greedily(own, output, sizes) : inBestOrder(own, output, sizes);
  return arranged(sumOut(last, output), output, sizes);
}

function squeeze({ node, labels }: Term, dropped: readonly string[]): Term {
  if (dropped.length === 0) return { node, labels };
  const isKept = (i: number): boolean => !dropped.includes(labels[i]);
  return {
    node: build.reshape(
      node,
      node.shape.filter((_, i) => isKept(i)),
    ),
    labels: labels.filter((_, i) => isKept(i)),
  };
}

/** Without the labels that nobody needs any more. */
function sumOut(term: Term, needed: readonly string[]): Term {
  const gone = term.labels.filter((label) => !needed.includes(label));
  if (gone.length === 0) return term;
  const axes = gone.map((label) => term.labels.indexOf(label));
  return squeeze({ node: build.sum(asNumber(term.node), axes), labels: term.labels }, gone);
}

/** The dimensions in this order; labels that the term lacks are repeated. */
function arranged({ node, labels }: Term, order: readonly string[], sizes: Sizes): Node {
  const own = order.filter((label) => labels.includes(label));
  const moved = build.permute(
    node,
    own.map((label) => labels.indexOf(label)),
  );
  const sized = (label: string): number => sizes.get(label) ?? 1;
  const wide = build.reshape(
    moved,
    order.map((label) => (labels.includes(label) ? sized(label) : 1)),
  );
  return build.expand(wide, order.map(sized));
}

// ---------------------------------------------------------------- order

const union = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])];
const volume = (labels: readonly string[], sizes: Sizes): number =>
  labels.reduce((n, label) => n * (sizes.get(label) ?? 1), 1);

interface Plan {
  readonly cost: number;
  readonly labels: readonly string[];
  readonly parts: readonly [number, number] | undefined;
}

/** Dynamic programming over sets of terms (bits): the best way to a set is the best split of it into two. */
function inBestOrder(terms: readonly Term[], output: readonly string[], sizes: Sizes): Term {
  const all = 2 ** terms.length - 1;
  const neededOutside = (set: number): string[] =>
    terms.reduce<string[]>((labels, term, i) => (set & (1 << i) ? labels : union(labels, term.labels)), [...output]);
  const plans: Plan[] = [];
  for (let set = 1; set <= all; set++) {
    const needed = neededOutside(set);
    const single = terms.findIndex((_, i) => set === 1 << i);
    if (single >= 0) {
      const labels = terms[single].labels.filter((label) => needed.includes(label));
      plans[set] = { cost: 0, labels, parts: undefined };
      continue;
    }
    let best: Plan | undefined;
    // each split once: the first part has the set's lowest term
    const lowest = set & -set;
    for (let a = (set - 1) & set; a > 0; a = (a - 1) & set) {
      if ((a & lowest) === 0) continue;
      const [x, y] = [plans[a], plans[set ^ a]];
      const both = union(x.labels, y.labels);
      const cost = x.cost + y.cost + volume(both, sizes);
      if (best !== undefined && cost >= best.cost) continue;
      best = { cost, labels: both.filter((label) => needed.includes(label)), parts: [a, set ^ a] };
    }
    plans[set] = best as Plan;
  }
  const make = (set: number): Term => {
    const { parts, labels } = plans[set];
    if (parts === undefined) return sumOut(terms.find((_, i) => set === 1 << i) as Term, labels);
    return product(make(parts[0]), make(parts[1]), labels, sizes);
  };
  return make(all);
}

/** The pair whose product is smallest beside what it replaces goes first; among equals the one with the fewest multiplications. */
function greedily(terms: readonly Term[], output: readonly string[], sizes: Sizes): Term {
  const left = [...terms];
  while (left.length > 1) {
    let best: { gain: number; cost: number; i: number; j: number; labels: string[] } | undefined;
    for (let i = 0; i < left.length; i++) {
      for (let j = i + 1; j < left.length; j++) {
        const needed = left.reduce<string[]>(
          (all, t, k) => (k === i || k === j ? all : union(all, t.labels)),
          [...output],
        );
        const both = union(left[i].labels, left[j].labels);
        const labels = both.filter((label) => needed.includes(label));
        const gain = volume(labels, sizes) - volume(left[i].labels, sizes) - volume(left[j].labels, sizes);
        const cost = volume(both, sizes);
        const isBetter = best === undefined || gain < best.gain || (gain === best.gain && cost < best.cost);
        if (isBetter) best = { gain, cost, i, j, labels };
      }
    }
    const { i, j, labels } = best as NonNullable<typeof best>;
    const made = product(left[i], left[j], labels, sizes);
    left.splice(j, 1);
    left.splice(i, 1, made);
  }
  return left[0];
}

// ---------------------------------------------------------------- two terms

/** Σ a · b over the labels that `needed` lacks. */
function product(a: Term, b: Term, needed: readonly string[], sizes: Sizes): Term {
  const [x, y] = [a, b].map((term, i) => sumOut(term, union(needed, [b, a][i].labels)));
  const common = x.labels.filter((label) => y.labels.includes(label));
  const summed = common.filter((label) => !needed.includes(label));
  const batch = common.filter((label) => needed.includes(label));
  const rows = x.labels.filter((label) => !common.includes(label));
  const columns = y.labels.filter((label) => !common.includes(label));
  const labels = [...batch, ...rows, ...columns];
  const isMatrixProduct = summed.length > 0 && rows.length + columns.length > 0 && isFloat(x.node) && isFloat(y.node);
  if (!isMatrixProduct) {
    const all = [...labels, ...summed];
    const factors = [x, y].map((term) => asNumber(aligned(term, all)));
    const each = build.mul(factors[0], factors[1]);
    return sumOut({ node: each, labels: all }, labels);
  }
  // [batch, rows, summed] · [batch, summed, columns]
  const [b0, m, k, n] = [batch, rows, summed, columns].map((list) => volume(list, sizes));
  const left = build.reshape(arranged(x, [...batch, ...rows, ...summed], sizes), [b0, m, k]);
  const right = build.reshape(arranged(y, [...batch, ...summed, ...columns], sizes), [b0, k, n]);
  const shape = labels.map((label) => sizes.get(label) ?? 1);
  if (b0 !== 1) return { node: build.reshape(build.matmul(left, right), shape), labels };
  const flat = build.matmul(build.reshape(left, [m, k]), build.reshape(right, [k, n]));
  return { node: build.reshape(flat, shape), labels };
}

/** The dimensions in this order, with size 1 where the term has none, so that it broadcasts. */
function aligned({ node, labels }: Term, order: readonly string[]): Node {
  const own = order.filter((label) => labels.includes(label));
  const moved = build.permute(
    node,
    own.map((label) => labels.indexOf(label)),
  );
  return build.reshape(
    moved,
    order.map((label) => (labels.includes(label) ? node.shape[labels.indexOf(label)] : 1)),
  );
}

/** Elements whose positions along axes `a` and `b` are equal, as the last dimension. */
export function diagonal(x: Node, a: number, b: number): Node {
  const n = x.shape[a];
  const rest = x.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  const lead = rest.map((i) => x.shape[i]);
  const flat = build.reshape(build.permute(x, [...rest, a, b]), [...lead, sizeOf([n, n])]);
  return build.slice(
    flat,
    flat.shape.map(() => 0),
    [...lead, n],
    [...lead.map(() => 1), n + 1],
  );
}
