// Random bits.

import * as L from '../loop.js';
import type { Expr } from '../loop.js';
import { type Bind, i } from './basics.js';

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
];

/** Threefry-2x32 with 20 rounds (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011). */
export function threefry2x32(key0: Expr, key1: Expr, counter0: Expr, counter1: Expr, bind: Bind): [Expr, Expr] {
  const third = L.binary('xor', L.binary('xor', key0, key1), i(key0, 0x1bd11bda));
  const keys = [key0, key1, bind('k2', third)];
  let x0 = bind('x0', L.add(counter0, key0));
  let x1 = bind('x1', L.add(counter1, key1));
  for (let block = 0; block < 5; block++) {
    for (const turn of ROTATIONS[block % 2]) {
      x0 = bind('x0', L.add(x0, x1));
      const rotated = L.binary('or', L.binary('shl', x1, L.int(turn)), L.binary('shru', x1, L.int(32 - turn)));
      x1 = bind('x1', L.binary('xor', rotated, x0));
    }
    x0 = bind('x0', L.add(x0, keys[(block + 1) % 3]));
    x1 = bind('x1', L.add(L.add(x1, keys[(block + 2) % 3]), i(x1, block + 1)));
  }
  return [x0, x1];
}
