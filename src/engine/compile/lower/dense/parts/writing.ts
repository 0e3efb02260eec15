// What a routine is given to be written with, and how it tells what went wrong.

import { NOT_FINITE } from '../../../../ir/dense.js';
import type { Node } from '../../../../ir/node.js';
import * as L from '../../../../loop/loop.js';
import type { Expr } from '../../../../loop/loop.js';
import { type Line, type Matrix, type MatrixWriter, real } from './matrix-writer.js';
import type { Products } from './product.js';

export interface Writing {
  readonly w: MatrixWriter;
  readonly products: Products;
  readonly node: Node<'dense'>;
  readonly m: number;
  readonly n: number;
  /** The matrices of an operand. */
  operand(i: number): Matrix;
  /** A result, as a matrix or as one line. */
  matrix(name: string): Matrix;
  line(name: string): Line;
  scratch(name: string, size: number): Line;
  /** Memory for whole numbers. */
  integers(name: string, size: number): Line;
  /** Copies a matrix; 0 in return if all its numbers are finite, else NaN. */
  copyIn(from: Matrix, to: Matrix, rows: number, columns: number): Expr;
  /** Tells that the routine failed, unless `info` is 0. */
  fail(info: Expr): void;
}

/** `info` of a routine that found `info` so far: −1 if the matrix was not finite. */
export function infoOf(w: MatrixWriter, odd: Expr, info: Expr): Expr {
  return w.named('info', L.select(L.compare('eq', odd, real(0)), info, L.int(NOT_FINITE)));
}
