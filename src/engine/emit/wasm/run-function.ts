// What a module exports: run(from, to, tid, threads, table, arena, scratch) makes a thread's calls of the stages from … to − 1;
// whoever calls it puts a barrier after each stage. What comes after the last check does nothing where an index was out of range. Operands are addresses from the argument table, or lie in the arena.
// Input: a program, and the numbers of its functions. Output: the function's bytes.

import { ERROR_WORD, type ElementType, type Program, type Slot } from '../../loop/loop.js';
import { Bytes, type FunctionBody, leb, sleb } from './assembler.js';
import { CODE, EMPTY_BLOCK, MEMORY, TYPE } from './opcodes.js';

const ALIGN_4 = 2;
const BYTES = 4;

/** `targets`: the function of each kernel. */
export function runFunction(program: Program, targets: readonly number[]): FunctionBody {
  const [from, to, tid, threads, table, arena, scratch, part, parts] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const { length } = program.stages;
  const code = new Bytes();
  const get = (local: number) => code.push([...CODE.get, ...leb(local)]);
  const pushSlot = (slot: Slot, type: ElementType) => {
    if (slot.kind === 'argument') {
      get(table);
      code.push([...MEMORY[type].load, ALIGN_4, ...leb(slot.index * BYTES)]);
    } else get(arena);
    if ((slot.offset ?? 0) !== 0) code.push([...CODE.i32Const, ...sleb(slot.offset as number), ...CODE.i32Add]);
  };
  const number = (value: number) => code.push([...CODE.i32Const, ...sleb(value)]);
  const returnOnError = () => {
    get(table);
    code.push([...CODE.i32Load, ALIGN_4, ...leb(ERROR_WORD * BYTES), ...CODE.i32Load, ALIGN_4, 0]);
    code.push([...CODE.if, EMPTY_BLOCK, ...CODE.return, ...CODE.end]);
  };
  const checked = program.stages.findIndex(({ isLastCheck }) => isLastCheck === true);
  if (checked >= 0) {
    number(checked);
    get(from);
    code.push([...CODE.i32LtS, ...CODE.if, EMPTY_BLOCK]);
    returnOnError();
    code.push(CODE.end);
  }
  // block … block br_table end ⟨stage 0⟩ end ⟨stage 1⟩ …: a jump to stage `from`, and each falls through to the next
  for (let i = 0; i <= length; i++) code.push([...CODE.block, EMPTY_BLOCK]);
  get(from);
  code.push([...CODE.brTable, ...leb(length)]);
  for (let i = 0; i <= length; i++) code.push(leb(i));
  code.push(CODE.end);
  program.stages.forEach((stage, i) => {
    const isCut = stage.parts > 1;
    if (isCut) {
      // part counts from tid · parts to (tid + 1) · parts, of threads · parts in all
      get(tid);
      number(stage.parts);
      code.push([...CODE.i32Mul, ...CODE.set, ...leb(part)]);
      number(stage.parts);
      code.push([...CODE.set, ...leb(parts), ...CODE.loop, EMPTY_BLOCK]);
    }
    for (const call of stage.calls) {
      const kernel = program.kernels[call.kernel];
      if (isCut) {
        get(part);
        get(threads);
        number(stage.parts);
        code.push(CODE.i32Mul);
      } else {
        get(tid);
        get(threads);
      }
      get(scratch);
      call.slots.forEach((slot, i) => {
        const scalar = kernel.scalars[i - kernel.buffers.length];
        pushSlot(slot, scalar?.type === 'f32' || scalar?.type === 'f64' ? scalar.type : 'i32');
      });
      code.push([...CODE.call, ...leb(targets[call.kernel])]);
    }
    if (isCut) {
      get(part);
      number(1);
      code.push([...CODE.i32Add, ...CODE.set, ...leb(part)]);
      get(parts);
      number(-1);
      code.push([...CODE.i32Add, ...CODE.tee, ...leb(parts), ...CODE.brIf, 0, ...CODE.end]);
    }
    get(to);
    number(i + 1);
    code.push([...CODE.i32Eq, ...CODE.if, EMPTY_BLOCK, ...CODE.return, ...CODE.end]);
    if (stage.isLastCheck === true) returnOnError();
    code.push(CODE.end);
  });
  code.push(CODE.end);
  return { params: new Array<number>(7).fill(TYPE.i32), locals: [TYPE.i32, TYPE.i32], code: code.view() };
}
