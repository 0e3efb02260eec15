// Dense linear algebra: one kernel a routine, written in the words of matrix-writer.ts. Threads share the matrices of a batch; one matrix
// is one thread's. What goes wrong is told to `info`, and to the error record where the user's call asks for it.
// Input: a group of one `dense` node. Output: the kernel's statements.

import { type Part, type Routine, layoutOfNode } from '../../../ir/dense.js';
import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import type { Group } from '../../plan/group.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import type { Lowering } from '../kernel/lowering.js';
import { splitRange } from '../kernel/parallel.js';
import { writeCholesky } from './cholesky.js';
import { writeEig } from './spectra/eig.js';
import { writeEigh } from './spectra/eigh.js';
import { writeLdl } from './ldl.js';
import { writeLu } from './lu.js';
import { type Line, type Matrix, MatrixWriter, real } from './parts/matrix-writer.js';
import { Products } from './parts/product.js';
import { writeHouseholder, writeQr } from './qr.js';
import { writeSvd } from './spectra/svd.js';
import { writeTriangular } from './triangular.js';
import type { Writing } from './parts/writing.js';

const ROUTINES: Record<Routine, (writing: Writing) => void> = {
  lu: writeLu,
  cholesky: writeCholesky,
  triangular: writeTriangular,
  qr: writeQr,
  householder: writeHouseholder,
  eigh: writeEigh,
  svd: writeSvd,
  eig: writeEig,
  ldl: writeLdl,
};

/** Rough operations of a batch below which one thread does all. */
const SERIAL_WORK = 20_000;

export function lowerDense(group: Group, lowering: Lowering): KernelBuilder {
  const node = group.members[0] as Node<'dense'>;
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  const [m, n] = node.src[0].shape.slice(-2);
  const { length, parts } = layoutOfNode(node);
  const count = node.size / length;
  const w = new MatrixWriter(k, lowering.target.lanes);
  const out = lowering.output(node as Node) as Buffer;
  const operands = node.src.map((s) => lowering.context.buffer(s) as Buffer);
  const products = new Products(w, lowering);
  const range = splitRange(k, count, count * m * n * Math.min(m, n) < SERIAL_WORK, 1);
  k.loop('matrix', range.from, range.to, 1, undefined, (number) => {
    const base = w.int(L.mul(number, L.int(length)), 'base');
    const place = ({ at }: Part): Expr => w.int(L.add(base, L.int(at)), 'place');
    const lineOf = (buffer: Buffer): Line => ({ buffer, base: L.int(0) });
    ROUTINES[node.arg.routine]({
      w,
      products,
      node,
      m,
      n,
      operand(i) {
        const { shape } = node.src[i];
        const ld = shape[shape.length - 1];
        const isVectors = shape.length < node.src[0].shape.length;
        const size = isVectors ? ld : ld * shape[shape.length - 2];
        return { buffer: operands[i], base: w.int(L.mul(number, L.int(size)), 'operand'), ld };
      },
      matrix: (name) => ({ buffer: out, base: place(parts[name]), ld: parts[name].shape[1] }),
      line: (name) => ({ buffer: out, base: place(parts[name]) }),
      scratch: (name, size) => lineOf(lowering.scratch(name, size, 'f64')),
      integers: (name, size) => lineOf(lowering.scratch(name, size, 'i32')),
      copyIn: (from, to, rows, columns) => copyIn(w, from, to, rows, columns),
      fail(info) {
        if (parts.info !== undefined) w.put({ buffer: out, base: place(parts.info) }, 0, L.convert('i32.f64', info));
        if (node.arg.call === '') return;
        w.when(L.compare('ne', info, L.int(0)), () => {
          const record = lowering.context.errorRecord();
          const told = [L.int(1), L.int(node.slot), info, count === 1 ? L.int(-1) : number];
          for (const at of [1, 2, 3, 0]) k.emit(L.store(record, L.int(at), told[at]));
        });
      },
    });
  });
  return k;
}

function copyIn(w: MatrixWriter, from: Matrix, to: Matrix, rows: number, columns: number): Expr {
  const { lanes } = w;
  const sums = [w.variable('odd', L.literal(0, 'f64', lanes)), w.variable('odd', real(0))];
  w.loop(0, rows, (i) => {
    const [x, y] = [w.row(from, i), w.row(to, i)];
    w.strips(0, columns, (at, width) => {
      const value = w.get(x, at, width);
      w.put(y, at, value);
      const sum = sums[width === 1 ? 1 : 0];
      w.set(sum, L.add(sum, L.sub(value, value))); // ∞ − ∞ and NaN − NaN are NaN
    });
  });
  const parts = lanes === 1 ? [sums[0]] : Array.from({ length: lanes }, (_, lane) => L.extract(sums[0], lane));
  return w.named(
    'odd',
    parts.reduce((a, b) => L.add(a, b), sums[1]),
  );
}
