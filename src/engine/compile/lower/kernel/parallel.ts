// How a loop is shared: thread t of T takes the t-th of T equal parts, rounded to a granule so that vectors and cache
// lines are not torn. Work too small to share is done by thread 0.

import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import type { KernelBuilder } from './kernel-builder.js';

export interface Range {
  readonly from: Expr;
  readonly to: Expr;
}

export function splitRange(k: KernelBuilder, size: number, serial: boolean, granule: number): Range {
  if (serial) {
    const isFirst = L.compare('eq', k.tid, L.int(0));
    return { from: L.int(0), to: k.define('to', L.select(isFirst, L.int(size), L.int(0))) };
  }
  k.isParallel = true;
  const units = Math.ceil(size / granule);
  const bound = (t: Expr): Expr => {
    const at = L.mul(L.binary('divs', L.mul(L.int(units), t), k.threads), L.int(granule));
    if (size % granule === 0) return at;
    return L.binary('min', at, L.int(size));
  };
  return { from: k.define('from', bound(k.tid)), to: k.define('to', bound(L.add(k.tid, L.int(1)))) };
}

/**
 * Units of which each is less work than the one before, down to next to nothing: each thread takes a part of the first half, and the part of
 * the second one that makes up for it.
 */
export function splitFolded(k: KernelBuilder, size: number, inside: (range: Range) => void): void {
  k.isParallel = true;
  const first = Math.ceil(size / 2);
  const share = (units: number, t: Expr): Expr => L.binary('divs', L.mul(L.int(units), t), k.threads);
  const next = L.add(k.tid, L.int(1));
  k.loop('half', L.int(0), L.int(2), 1, undefined, (half) => {
    const isFirst = L.compare('eq', half, L.int(0));
    const pick = (a: Expr, fromEnd: Expr): Expr => L.select(isFirst, a, L.sub(L.int(size), fromEnd));
    inside({
      from: k.define('from', pick(share(first, k.tid), share(size - first, next))),
      to: k.define('to', pick(share(first, next), share(size - first, k.tid))),
    });
  });
}

export function onlyFirstThread(k: KernelBuilder, work: () => void): void {
  k.emit(L.when(L.compare('eq', k.tid, L.int(0)), k.block(work)));
}

export function onlyLastThread(k: KernelBuilder, work: () => void): void {
  k.emit(L.when(L.compare('eq', k.tid, L.sub(k.threads, L.int(1))), k.block(work)));
}
