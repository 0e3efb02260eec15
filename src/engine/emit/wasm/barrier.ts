// The barrier between stages: barrier(threads, sync), with sync → { arrived, generation }.
// Every thread adds 1 to `arrived`; the one that makes it full sets it back to 0, moves `generation` on and wakes the
// others, which spin on `generation` for a while and then sleep on it. With one thread it returns at once.

import { Bytes, type FunctionBody, leb, sleb } from './assembler.js';
import { CODE, EMPTY_BLOCK, TYPE } from './opcodes.js';

/** Reads of the generation before a thread goes to sleep: some tens of microseconds. */
const SPINS = 20_000;
const ALIGN_4 = 2;
const GENERATION = 4;
const FOREVER = [0x42, 0x7f]; // i64.const -1

export function barrierFunction(): FunctionBody {
  const [threads, sync, generation, spins] = [0, 1, 2, 3];
  const code = new Bytes();
  const emit = (...parts: (readonly number[])[]) => parts.forEach((p) => code.push(p));
  const get = (local: number) => [...CODE.get, ...leb(local)];
  const set = (local: number) => [...CODE.set, ...leb(local)];
  const int = (value: number) => [...CODE.i32Const, ...sleb(value)];
  const loadGeneration = [...get(sync), ...CODE.atomicLoad, ALIGN_4, GENERATION];

  emit(get(threads), int(1), CODE.i32Eq, [...CODE.if, EMPTY_BLOCK], CODE.return, CODE.end);
  emit(loadGeneration, set(generation));
  // the last to arrive opens the barrier
  emit(get(sync), int(1), [...CODE.atomicAdd, ALIGN_4, 0], int(1), CODE.i32Add, get(threads), CODE.i32Eq, [
    ...CODE.if,
    EMPTY_BLOCK,
  ]);
  emit(get(sync), int(0), [...CODE.atomicStore, ALIGN_4, 0]);
  emit(get(sync), int(1), [...CODE.atomicAdd, ALIGN_4, GENERATION], [0x1a]); // drop
  emit(get(sync), int(-1), [...CODE.notify, ALIGN_4, GENERATION], [0x1a], CODE.return, CODE.end);
  // the others wait
  emit([...CODE.loop, EMPTY_BLOCK]);
  emit(loadGeneration, get(generation), [0x47], [...CODE.if, EMPTY_BLOCK], CODE.return, CODE.end); // i32.ne
  emit(get(spins), int(1), CODE.i32Add, [...CODE.tee, ...leb(spins)], int(SPINS), CODE.i32LtS, [...CODE.brIf, 0]);
  emit(get(sync), get(generation), FOREVER, [...CODE.wait32, ALIGN_4, GENERATION], [0x1a], [...CODE.br, 0]);
  emit(CODE.end, CODE.end);
  return { params: [TYPE.i32, TYPE.i32], locals: [TYPE.i32, TYPE.i32], code: code.view() };
}
