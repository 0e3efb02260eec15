// Sums that wait for another sum although only factors of their terms do:
//   sum(a·s + b·t) → s·sum(a) + t·sum(b), where s and t are one number for all elements of a sum, made of sums over the
//   same elements.
// The gradient of every normalisation has such a sum. Taken before s and t are known, it spares a walk over the elements.
// A sum of a single product stays as it is: who scales before adding may do so against overflow.
// Input and output: a list of nodes in order.

import { type Node, isOp } from '../../ir/node.js';
import { isReduction } from './kinds.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

/** More sums than this in the place of one cost more than the walk. */
const MOST_SUMS = 3;
const MOST_TERMS = 6;
/** Products within products that factors are looked for in. */
const DEEPEST = 4;
/** Nodes among which a sum is looked for. */
const MOST_VISITED = 1000;

type Push = (n: Node) => Node;

interface Term {
  readonly node: Node;
  readonly isNegative: boolean;
}

/** value · or / factors; no value stands for 1. */
interface Product {
  readonly factors: readonly { readonly op: 'mul' | 'div'; readonly node: Node }[];
  readonly value: Node | undefined;
}

export function distributeSums(nodes: readonly Node[]): Rewritten {
  const depths = new Map<Node, number>();
  /** Reductions one above the other up to a node, whose operands have been asked for before. */
  const depthOf = (node: Node): number => {
    const known = depths.get(node);
    if (known !== undefined) return known;
    const depth = node.src.reduce((most, s) => Math.max(most, depthOf(s)), 0) + (isReduction(node) ? 1 : 0);
    depths.set(node, depth);
    return depth;
  };
  return rewrite(nodes, (node, push) => {
    depthOf(node);
    return isOp(node, 'sum') && node.dtype === 'float32' ? distributed(node, depthOf, push) : undefined;
  });
}

function distributed(sum: Node<'sum'>, depthOf: (n: Node) => number, push: Push): Node | undefined {
  const [operand] = sum.src;
  const late = depthOf(operand);
  const isLate = (n: Node): boolean => depthOf(n) === late && isOfRow(n, sum) && waitsForSum(n, sum);
  const terms = termsOf(operand);
  if (terms.length < 2 || terms.length > MOST_TERMS) return undefined;
  const made: Node[] = []; // operands first
  const make: Push = (n) => (made.push(n), n);
  const products = new Map([...new Set(terms.map((t) => t.node))].map((n) => [n, peel(n, isLate, make)]));
  const values = [...new Set([...products.values()].map(({ value }) => value))];
  const areEarlier = values.every((v) => v !== undefined && v.size === operand.size && depthOf(v) < late);
  if (!areEarlier || values.length < 2 || values.length > MOST_SUMS) return undefined;

  made.forEach(push);
  const sums = new Map(values.map((v) => [v, push(derive(sum, 'sum', [v as Node], sum.arg, sum.shape))]));
  const ofRow = (op: 'mul' | 'div' | 'add' | 'sub' | 'neg', ...src: Node[]): Node =>
    push(derive(sum, op, src, null, sum.shape));
  const results = new Map(
    [...products].map(([n, { factors, value }]) => [
      n,
      factors.reduce((result, f) => ofRow(f.op, result, unexpanded(f.node)), sums.get(value) as Node),
    ]),
  );
  return terms.reduce<Node | undefined>((total, { node, isNegative }) => {
    const result = results.get(node) as Node;
    if (total === undefined) return isNegative ? ofRow('neg', result) : result;
    return ofRow(isNegative ? 'sub' : 'add', total, result);
  }, undefined);
}

/** What is added and subtracted, taken apart until there are more terms than anybody wants. */
function termsOf(operand: Node): Term[] {
  const terms: Term[] = [];
  const open: Term[] = [{ node: operand, isNegative: false }];
  while (open.length > 0 && terms.length + open.length <= MOST_TERMS) {
    const { node, isNegative } = open.pop() as Term;
    const isLinear = (node.op === 'add' || node.op === 'sub' || node.op === 'neg') && node.size === operand.size;
    if (!isLinear) terms.push({ node, isNegative });
    else {
      const turns = (i: number): boolean => node.op === 'neg' || (node.op === 'sub' && i === 1);
      open.push(...node.src.map((s, i) => ({ node: s, isNegative: isNegative !== turns(i) })).reverse());
    }
  }
  return [...terms, ...open];
}

/** A product or quotient without its late factors. */
function peel(node: Node, isLate: (n: Node) => boolean, make: Push, level = 0): Product {
  const whole = { factors: [], value: node };
  if (isLate(node)) return { factors: [{ op: 'mul', node }], value: undefined };
  if (level > DEEPEST || (node.op !== 'mul' && node.op !== 'div')) return whole;
  const [left, right] = node.src;
  const a = peel(left, isLate, make, level + 1);
  if (node.op === 'div') {
    return isLate(right) ? { factors: [...a.factors, { op: 'div', node: right }], value: a.value } : whole;
  }
  const b = peel(right, isLate, make, level + 1);
  const factors = [...a.factors, ...b.factors];
  if (factors.length === 0) return whole;
  if (a.value === undefined || b.value === undefined) return { factors, value: a.value ?? b.value };
  return { factors, value: make(derive(node, 'mul', [a.value, b.value], null, node.shape)) };
}

function unexpanded(node: Node): Node {
  return isOp(node, 'expand') ? node.src[0] : node;
}

/** Is it one number for all elements of a sum? */
function isOfRow(node: Node, sum: Node<'sum'>): boolean {
  const { shape } = unexpanded(node);
  const missing = sum.shape.length - shape.length;
  return missing >= 0 && sum.arg.axes.every((axis) => axis < missing || shape[axis - missing] === 1);
}

/** Is it made of a reduction of the same size, by numbers of rows alone? */
function waitsForSum(node: Node, sum: Node<'sum'>): boolean {
  const seen = new Set<Node>([unexpanded(node)]);
  for (const n of seen) {
    if (isReduction(n) && n.src[0].size === sum.src[0].size) return true;
    if (seen.size > MOST_VISITED) return false;
    if (n.size <= sum.size) for (const s of n.src) seen.add(s); // a set is walked to what was added last
  }
  return false;
}
