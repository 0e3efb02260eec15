// Kernels in the loop IR written by hand, and graphs as a device would be given them, for tests of the compiler's later half.

import type { Device, Graph } from '../../src/engine/device/device.js';
import type { Node } from '../../src/engine/ir/node.js';
import * as L from '../../src/engine/loop/loop.js';
import type { Buffer, Expr, KernelFunction, Stmt } from '../../src/engine/loop/loop.js';
import { prepare } from '../operators/run.js';

/** A kernel over `buffers`; `make` writes its body, given the number of the thread and how many there are. */
export function kernelOf(
  buffers: readonly Buffer[],
  make: (tid: Expr, threads: Expr) => readonly Stmt[],
  rest: Partial<KernelFunction> = {},
): KernelFunction {
  const [tid, threads] = [L.variable('tid', 'i32'), L.variable('threads', 'i32')];
  const body = make(tid, threads);
  const work = { isDivisible: true, shapes: '', flops: 0, bytes: 0 };
  return { name: 'k', buffers, scalars: [], scratch: [], tid, threads, body, ...work, ...rest };
}

/** The first of thread `t`'s parts of `count`; the parts of the next thread begin where its own end. */
export function edge(count: number, t: Expr, threads: Expr): Expr {
  return L.binary('divs', L.mul(L.int(count), t), threads);
}

/** b[i + shift] = a[i] for `size` elements, shared by the threads in whole rows. */
export function copyKernel(size: number, rows: number, shift = 0, rest: Partial<KernelFunction> = {}): KernelFunction {
  const [a, b, i] = [L.buffer('a', 'f32', 'param', size), L.buffer('b', 'f32', 'param', size), L.variable('i', 'i32')];
  return kernelOf(
    [a, b],
    (tid, threads) => {
      const at = (t: Expr) => L.mul(edge(rows, t, threads), L.int(size / rows));
      return [L.loop(i, at(tid), at(L.add(tid, L.int(1))), 1, [L.store(b, L.add(i, L.int(shift)), L.load(a, i))])];
    },
    { name: 'copy', ...rest },
  );
}

/** What a device would be given to compile. */
export function compiledGraph(outputs: readonly Node[], leaves: readonly Node[]): Graph {
  const seen: Graph[] = [];
  const device = { compile: (graph: Graph) => void seen.push(graph) };
  prepare(device as unknown as Device, outputs, leaves);
  return seen[0];
}
