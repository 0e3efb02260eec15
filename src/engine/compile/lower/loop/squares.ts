// Transposed copies: results along one axis of what lies along another. A vector of the results would be put together from as many lines of
// memory as it has lanes, each of which is fetched again for the next row. Instead squares of lanes × lanes are computed as vectors along
// the operands' axis, transposed in registers, and stored along the results' axis, so that every line is read and written as a whole.
// Input: a nest without reductions. Output: loops over squares; what is left at the ends is the caller's.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import {
  type Axis,
  type Index,
  addConstant,
  addIndex,
  atomIndex,
  coefficientOf,
  dependsOn,
  newAxis,
  scaleIndex,
  substitute,
} from '../../indices/index-expr.js';
import type { KernelBuilder } from '../kernel/kernel-builder.js';
import { splitRange } from '../kernel/parallel.js';
import { transposeVectors } from '../kernel/transpose.js';
import type { Nest } from './loop-nest.js';

/** From this many elements between neighbours on, lines are not met again while they are in the cache. */
const FAR = 64;
/** Elements from which squares pay for their code. */
const LARGE = 16 << 10;
/** Vectors of a column of squares that are walked before the next column: as many pages as the processor remembers. */
const TALL = 16;

/** The axis along which the operands lie, if all do and all results lie along `vector`; of `stores` accesses at the beginning. */
export function operandAxis(nest: Nest, vector: Axis, lanes: number, stores: number): Axis | undefined {
  const total = nest.kept.reduce((n, a) => n * a.size, 1);
  if (nest.reduced.length > 0 || total < LARGE || vector.size < lanes) return undefined;
  const [written, read] = [nest.accesses.slice(0, stores), nest.accesses.slice(stores)];
  if (read.length === 0 || read.some(({ lookups }) => lookups.length > 0)) return undefined;
  if (!written.every(({ at }) => coefficientOf(at, vector) === 1)) return undefined;
  return nest.kept.find(
    (axis) =>
      axis !== vector &&
      axis.size >= lanes &&
      written.every(({ at }) => isFar(at, axis)) &&
      read.some(({ at }) => isFar(at, vector)) &&
      read.every(({ at }) => (coefficientOf(at, axis) === 1 && isFar(at, vector)) || isFixed(at, axis, vector)),
  );
}

const isFar = (at: Index, axis: Axis): boolean => (coefficientOf(at, axis) ?? 0) >= FAR;
const isFixed = (at: Index, a: Axis, b: Axis): boolean => !dependsOn(at, a) && !dependsOn(at, b);

export interface Squares {
  /** Operands lie along `across`, results along `along`; all other axes are walked outside. */
  readonly across: Axis;
  readonly along: Axis;
  readonly others: readonly Axis[];
  readonly outputs: readonly Node[];
  readonly placeOf: (node: Node) => readonly Index[];
  readonly store: (node: Node, place: readonly Index[], expr: Expr) => void;
}

/** All whole squares, shared by rows of squares. */
export function overSquares(k: KernelBuilder, squares: Squares): void {
  const { across, along, others, outputs, placeOf, store } = squares;
  const { lanes } = k;
  const [down, right] = [across, along].map((a) => newAxis(Math.floor(a.size / lanes)));
  const wide = right.size * lanes;
  const shared = [...others, down];
  const range = splitRange(
    k,
    shared.reduce((n, a) => n * a.size, 1),
    false,
    1,
  );
  const lane = atomIndex(k.laneAxis);
  const first = (axis: Axis): Index => scaleIndex(atomIndex(axis), lanes);
  const placed = (node: Node, i: Index, j: Index): Index[] =>
    placeOf(node).map((x) => substitute(substitute(x, across, i), along, j));
  const square = (): void => {
    const rows = outputs.map((node) => {
      const columns = Array.from({ length: lanes }, (_, m) => {
        const at = placed(node, addIndex(first(down), lane), addConstant(first(right), m));
        return L.splat(k.value(node, at).expr, lanes);
      });
      return transposeVectors(k, columns);
    });
    for (const [n, node] of outputs.entries())
      for (const [i, row] of rows[n].entries())
        store(node, placed(node, addConstant(first(down), i), addIndex(first(right), lane)), row);
  };
  const tile = TALL * lanes;
  k.loop('tile', L.int(0), L.int(wide), tile, undefined, (start) => {
    const end = k.define('end', L.binary('min', L.add(start, L.int(tile)), L.int(wide)));
    k.loop('row', range.from, range.to, 1, shared.length === 1 ? down : undefined, (variable) => {
      if (shared.length > 1) k.bindAxes(shared, variable);
      k.loop('v', start, end, lanes, right, square, lanes);
    });
  });
}
