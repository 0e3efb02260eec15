// Rows that are looked up in a table (an embedding, the nodes of a graph) and multiplied by a matrix. Where there are fewer
// rows in the table than are looked up, the table is multiplied instead, and what is looked up are rows of the product:
//   table[at] · w         →  (table · w)[at]
// The gradients are products with sums over all places where a row was read, of which there are as few:
//   Σ at (g · w)          →  (Σ at g) · w
//   gᵀ · table[at]        →  (Σ at g)ᵀ · table
// Input and output: a list of nodes in order.

import type { Indexed } from '../../ir/errors.js';
import { type Node, isOp } from '../../ir/node.js';
import { indexedAs } from '../../ir/place.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

/** Each row of the table is looked up so often, on average. */
const FEWEST_READS = 2;
/** Smaller products are not worth the trouble. */
const FEWEST_MACS = 64 << 10;
/** Columns of the table from which a product takes longer than adding up its operand. */
const FEWEST_COLUMNS = 16;

type Push = (n: Node) => Node;

interface Lookup {
  readonly table: Node;
  /** [reads, 1] */
  readonly at: Node;
  /** What is said of an index out of range. */
  readonly arg: Indexed;
}

export function multiplyTables(nodes: readonly Node[]): Rewritten {
  const uses = new Map<Node, number>();
  for (const n of nodes) for (const s of n.src) uses.set(s, (uses.get(s) ?? 0) + 1);
  const sums = new Map<string, Node>();
  /** [rows, columns]: the rows of `g` added up where they belong in a table of `rows` rows. */
  const sumAt = (g: Node, at: Node, rows: number, arg: Indexed, push: Push): Node => {
    const base = withoutReshapes(g);
    const key = `${base.slot} ${at.slot} ${rows}`;
    let sum = sums.get(key);
    if (sum === undefined) {
      const [reads] = at.shape;
      const columns = base.size / reads;
      const shape = [rows, columns];
      const zero = push(derive(base, 'const', [], { value: 0 }, []));
      const zeros = push(derive(zero, 'expand', [zero], { shape }, shape));
      sum = push(
        derive(
          base,
          'scatterAdd',
          [zeros, spread(at, columns, push), reshaped(base, [reads, columns], push)],
          arg,
          shape,
        ),
      );
      sums.set(key, sum);
    }
    return sum;
  };

  return rewrite(nodes, (node, push, original) => {
    if (isOp(node, 'scatterAdd')) {
      // As written, since only that says who uses it; as rewritten, since it may no longer be a product.
      const written = withoutReshapes(original.src[2]);
      const product = withoutReshapes(node.src[2]);
      const isAlone = (n: Node): boolean => uses.get(n) === 1 && (n === written || isAlone(n.src[0]));
      if (
        node.arg.combine !== undefined ||
        node.arg.axis !== 0 ||
        !isZero(node.src[0]) ||
        product.op !== 'matmul' ||
        !isAlone(original.src[2])
      )
        return undefined;
      const at = columnOf(node.src[1]);
      const [g, w] = product.src;
      const [rows, width] = node.shape;
      if (at === undefined || w.shape.length !== 2 || w.shape[1] !== width || width < FEWEST_COLUMNS) return undefined;
      if (node.src[2].shape[1] !== width || !isWorthwhile(at.shape[0], rows, w.size)) return undefined;
      return derive(node as Node, 'matmul', [sumAt(g, at, rows, node.arg, push), w], null, node.shape);
    }
    if (node.op !== 'matmul') return undefined;
    const [a, b] = node.src;
    const ofA = b.shape.length === 2 ? lookupOf(a) : undefined;
    if (ofA !== undefined && isWorthwhile(ofA.at.shape[0], ofA.table.shape[0], b.size)) {
      const columns = b.shape[1];
      const product = push(derive(node, 'matmul', [ofA.table, b], null, [ofA.table.shape[0], columns]));
      const index = spread(ofA.at, columns, push);
      const found = push(derive(node, 'gather', [product, index], ofA.arg, index.shape));
      return derive(node, 'reshape', [found], { shape: node.shape }, node.shape);
    }
    if (a.shape.length !== 2 || b.shape.length !== 2 || !isTurned(a)) return undefined;
    // Sums over all that was looked up: one operand is turned.
    const [whole] = a.src;
    const [ofWhole, ofB] = [lookupOf(whole), lookupOf(b)];
    if (ofB !== undefined && isSummedFirst(ofB, whole)) {
      const sum = sumAt(whole, ofB.at, ofB.table.shape[0], ofB.arg, push);
      return derive(node, 'matmul', [turned(sum, push), ofB.table], null, node.shape);
    }
    if (ofWhole === undefined || !isSummedFirst(ofWhole, b)) return undefined;
    const sum = sumAt(b, ofWhole.at, ofWhole.table.shape[0], ofWhole.arg, push);
    return derive(node, 'matmul', [turned(ofWhole.table, push), sum], null, node.shape);
  });
}

function isSummedFirst({ table, at }: Lookup, other: Node): boolean {
  const [rows, width] = table.shape;
  return width >= FEWEST_COLUMNS && isWorthwhile(at.shape[0], rows, width * other.shape[1]);
}

/** `weights`: multiplications for one row. */
function isWorthwhile(reads: number, rows: number, weights: number): boolean {
  return reads >= FEWEST_READS * rows && reads * weights >= FEWEST_MACS;
}

/** Whole rows of a table of float32, in a row or in an array of any shape. */
function lookupOf(node: Node): Lookup | undefined {
  const found = withoutReshapes(node);
  if (!isOp(found, 'gather') || found.arg.axis !== 0) return undefined;
  const [table, index] = found.src;
  const at = columnOf(index);
  const isWhole = table.shape.length === 2 && table.shape[1] === index.shape[1];
  if (at === undefined || !isWhole || node.shape[node.shape.length - 1] !== table.shape[1]) return undefined;
  return { table, at, arg: indexedAs('gather', found.arg, table.shape[0]) };
}

/** The column [reads, 1] that an index [reads, columns] repeats. */
function columnOf(index: Node): Node | undefined {
  if (index.op !== 'expand' || index.shape.length !== 2) return undefined;
  const [at] = index.src;
  return at.shape.length === 2 && at.shape[0] === index.shape[0] && at.shape[1] === 1 ? at : undefined;
}

/** [reads, 1] → [reads, columns] */
function spread(at: Node, columns: number, push: Push): Node {
  const shape = [at.shape[0], columns];
  return push(derive(at, 'expand', [at], { shape }, shape));
}

function withoutReshapes(node: Node): Node {
  let base = node;
  while (base.op === 'reshape') [base] = base.src;
  return base;
}

function reshaped(node: Node, shape: readonly number[], push: Push): Node {
  return push(derive(node, 'reshape', [node], { shape }, shape));
}

function isTurned(node: Node): boolean {
  return isOp(node, 'permute') && node.arg.axes[0] === 1;
}

function turned(node: Node, push: Push): Node {
  return push(derive(node, 'permute', [node], { axes: [1, 0] }, [node.shape[1], node.shape[0]]));
}

function isZero(node: Node): boolean {
  let base = node;
  while (base.op === 'expand' || base.op === 'reshape') [base] = base.src;
  return isOp(base, 'const') && base.arg.value === 0;
}
