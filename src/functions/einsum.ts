// Einstein's summation: an equation of letters, `bij,bjk->bik`, and the tensors whose dimensions it names.

import { checkText } from '../engine/ir/arguments.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { DType } from '../engine/ir/dtype.js';
import { promote } from '../engine/ir/dtype.js';
import * as build from '../engine/ir/build.js';
import type { Node } from '../engine/ir/node.js';
import { formatShape } from '../engine/ir/shape.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { type Term, contract, diagonal } from './contract.js';

/** What one side of an equation names: letters, and where the ellipsis stands among them. */
interface Names {
  readonly letters: readonly string[];
  readonly ellipsis: number | undefined;
}

/** A dimension that the ellipsis stands for, counted from the last one: '0', '1', … */
const broadcast = (rank: number): string[] => Array.from({ length: rank }, (_, i) => `${rank - 1 - i}`);

function parse(side: string, equation: string): Names {
  const text = side.replaceAll(' ', '');
  const at = text.indexOf('...');
  const letters = [...text.replace('...', '')];
  const wrong = letters.find((letter) => !/[a-zA-Z]/.test(letter));
  if (wrong !== undefined) {
    throw new ArgumentError(
      `einsum: '${wrong}' in '${equation}' is neither a letter nor '...'. Write letters, commas, one '->' and '...'.`,
    );
  }
  return { letters, ellipsis: at < 0 ? undefined : at };
}

/** The names of all dimensions: those of the ellipsis between the letters. */
function spread({ letters, ellipsis }: Names, rank: number): string[] {
  if (ellipsis === undefined) return [...letters];
  return [...letters.slice(0, ellipsis), ...broadcast(rank), ...letters.slice(ellipsis)];
}

function termOf(names: Names, node: Node, i: number, equation: string): Term {
  const rest = node.shape.length - names.letters.length;
  if (names.ellipsis === undefined ? rest !== 0 : rest < 0) {
    throw new ShapeError(
      `einsum: operand ${i} ${formatShape(node.shape)} has ${node.shape.length} dimensions, '${equation}' names ${names.letters.length}`,
      [node.shape],
    );
  }
  let term: Term = { node, labels: spread(names, rest) };
  for (;;) {
    const { labels, node: x } = term;
    const second = labels.findIndex((label, at) => labels.indexOf(label) !== at);
    if (second < 0) return term;
    const first = labels.indexOf(labels[second]);
    if (x.shape[first] !== x.shape[second]) {
      throw new ShapeError(
        `einsum: operand ${i} ${formatShape(node.shape)}: '${labels[first]}' is ${x.shape[first]} and ${x.shape[second]}`,
        [node.shape],
      );
    }
    const others = labels.filter((_, at) => at !== first && at !== second);
    term = { node: diagonal(x, first, second), labels: [...others, labels[first]] };
  }
}

function checkSizes(terms: readonly Term[], shapes: readonly (readonly number[])[]): void {
  const sizes = new Map<string, number>();
  for (const { node, labels } of terms) {
    labels.forEach((label, i) => {
      const [size, known] = [node.shape[i], sizes.get(label) ?? 1];
      if (size !== known && size !== 1 && known !== 1) {
        const name = /\d/.test(label) ? "a dimension of '...'" : `'${label}'`;
        throw new ShapeError(`einsum: ${shapes.map(formatShape).join(' x ')}: ${name} is ${known} and ${size}`, shapes);
      }
      if (known === 1) sizes.set(label, size);
    });
  }
}

function outputOf(right: string | undefined, terms: readonly Term[], equation: string): string[] {
  const all = terms.flatMap(({ labels }) => labels);
  const rank = all.reduce((n, label) => (/\d/.test(label) ? Math.max(n, Number(label) + 1) : n), 0);
  const left = equation.split('->')[0];
  if (right === undefined) {
    // what is named once, in alphabetical order (capitals first), behind what the ellipsis stands for
    const once = [...left.replaceAll(/[^a-zA-Z]/g, '')].filter(
      (label, _, list) => list.filter((l) => l === label).length === 1,
    );
    return [...broadcast(rank), ...once.sort()];
  }
  const names = parse(right, equation);
  const { letters } = names;
  const twice = letters.find((label, i) => letters.indexOf(label) !== i);
  if (twice !== undefined) throw new ArgumentError(`einsum: the result of '${equation}' names '${twice}' twice.`);
  const unknown = letters.find((label) => !all.includes(label));
  if (unknown !== undefined)
    throw new ArgumentError(`einsum: the result of '${equation}' names '${unknown}', which no operand has.`);
  return spread(names, rank);
}

/**
 * Σ of the products of the operands over the letters that the result does not name. Letters name dimensions; a letter that an
 * operand names twice is its diagonal; '...' stands for any number of dimensions, which broadcast. Without '->' the result has the
 * letters that are named once, in alphabetical order. More than two operands are multiplied in the cheapest order (up to eight; beyond,
 * the pair with the smallest product goes first). PyTorch: torch.einsum.
 *
 *     einsum('bij,bjk->bik', a, b);        // a batch of matrix products
 *     einsum('ii', a);                     // the trace
 *     einsum('...i,i->...', x, w);
 */
export function einsum<D extends DType = 'float32'>(
  equation: string,
  ...operands: readonly Tensor<readonly number[], D>[]
): Tensor<number[], D>;
export function einsum(equation: string, ...operands: readonly AnyTensor[]): unknown {
  checkText('einsum', 'the equation', equation);
  const nodes = operands.map((t, i) => nodeOf(t, 'einsum', `operand ${i}`));
  const [left, right, ...more] = equation.split('->');
  if (more.length > 0) throw new ArgumentError(`einsum: '${equation}' has more than one '->'.`);
  const sides = left.split(',');
  if (nodes.length === 0 || sides.length !== nodes.length) {
    throw new ArgumentError(
      `einsum: '${equation}' names ${sides.length} operands, there are ${nodes.length}. Pass them behind it: einsum('ij,jk', a, b).`,
    );
  }
  const names = sides.map((side) => parse(side, equation));
  const { dtype } = nodes.reduce((a, b) => (promote(a.dtype, b.dtype) === a.dtype ? a : b));
  const terms = nodes.map((node, i) => termOf(names[i], build.cast(node, dtype), i, equation));
  checkSizes(
    terms,
    nodes.map(({ shape }) => shape),
  );
  return wrap(contract(terms, outputOf(right, terms, equation)));
}
