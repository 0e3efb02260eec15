// Tiny hand-assembled WebAssembly programs of the form that the CPU runtime runs:
// run(from, to, tid, threads, table, arena, scratch), and the globals stages and serial. For tests of the runtime that must not depend on the emitter.

export interface ModuleOptions {
  readonly shared: boolean;
  readonly maxPages: number;
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];
const text = (s: string): number[] => [s.length, ...[...s].map((c) => c.charCodeAt(0))];

// Parameters of run, then three i32 locals.
export const [FROM, TO, TID, THREADS, TABLE, ARENA, SCRATCH, I, J, K] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

export const get = (local: number): number[] => [0x20, local];
export const set = (local: number): number[] => [0x21, local];
export const int = (value: number): number[] => [0x41, value & 127]; // -64 … 63
export const loadI32 = (offset: number): number[] => [0x28, 2, ...leb(offset)];
export const storeI32 = (offset: number): number[] => [0x36, 2, ...leb(offset)];
export const loadF32 = (offset: number): number[] => [0x2a, 2, ...leb(offset)];
export const storeF32 = (offset: number): number[] => [0x38, 2, ...leb(offset)];
export const addAtomic = (offset: number): number[] => [0xfe, 0x1e, 2, ...leb(offset)];
export const DROP = [0x1a];
export const ADD = [0x6a];
export const SHL = [0x74];
export const EQ = [0x46];
export const GE = [0x4e];
export const LE = [0x4c];
export const GT = [0x4a];
export const AND = [0x71];
export const MUL_F32 = [0x94];
export const UNREACHABLE = [0x00];
export const when = (...body: readonly number[][]): number[] => [0x04, 0x40, ...body.flat(), 0x0b];
/** block { loop { body; br 0 } }: `leave` is a br_if out of it. */
export const loop = (...body: readonly number[][]): number[] =>
  [[0x02, 0x40, 0x03, 0x40], ...body, [0x0c, 0, 0x0b, 0x0b]].flat();
export const LEAVE_IF = [0x0d, 1];
/** table[n] on the stack. */
export const argument = (n: number): number[] => [...get(TABLE), ...loadI32(4 * n)];

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** A module with these stages. */
export function assembleStages({ shared, maxPages }: ModuleOptions, ...bodies: readonly number[][]): Uint8Array {
  const asked = (k: number): number[] => [get(FROM), int(k), LE, get(TO), int(k), GT, AND].flat();
  const stages = bodies.map((body, k) => [...asked(k), ...when(body)]);
  const code = [1, 3, 0x7f, ...stages.flat(), 0x0b];
  const memory = shared ? [3, 1, ...leb(maxPages)] : [0, 1];
  const constant = (value: number): number[] => [0x7f, 0, ...int(value), 0x0b];
  const exported = (name: string, kind: number, index: number): number[] => [...text(name), kind, index];
  return new Uint8Array([
    ...HEADER,
    ...section(1, [1, 0x60, 7, ...new Array<number>(7).fill(0x7f), 0]),
    ...section(2, [1, ...text('env'), ...text('memory'), 2, ...memory]),
    ...section(3, [1, 0]),
    ...section(6, [2, ...constant(bodies.length), ...constant(0)]),
    ...section(7, [3, ...exported('run', 0, 0), ...exported('stages', 3, 0), ...exported('serial', 3, 1)]),
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
}

/** A module of one stage. */
export const assemble = (options: ModuleOptions, ...body: readonly number[][]): Uint8Array =>
  assembleStages(options, body.flat());

/** y[i] = x[i]², the threads taking turns. Arguments: x, y, n. */
export const square = (options: ModuleOptions): Uint8Array =>
  assemble(
    options,
    [...get(TID), ...set(I)],
    loop(
      [...get(I), ...argument(2), ...GE, ...LEAVE_IF],
      [...get(I), ...int(2), ...SHL, ...set(J)],
      [...argument(1), ...get(J), ...ADD],
      [...argument(0), ...get(J), ...ADD, ...loadF32(0)],
      [...argument(0), ...get(J), ...ADD, ...loadF32(0)],
      [...MUL_F32, ...storeF32(0)],
      [...get(I), ...get(THREADS), ...ADD, ...set(I)],
    ),
  );

/** Adds tid + 1 to the integer at the address of argument 0. */
export const sumOverThreads = (options: ModuleOptions): Uint8Array =>
  assemble(options, argument(0), [...get(TID), ...int(1), ...ADD], addAtomic(0), DROP);

/** Stage 1: every thread writes its tid + argument 1 to its scratch and to the arena; stage 2: all of it summed by thread 0 into argument 0. */
export const stages = (options: ModuleOptions): Uint8Array =>
  assembleStages(
    options,
    [
      [...get(SCRATCH), ...get(TID), ...argument(1), ...ADD, ...storeI32(0)],
      [...get(ARENA), ...get(TID), ...int(2), ...SHL, ...ADD, ...get(SCRATCH), ...loadI32(0), ...storeI32(0)],
    ].flat(),
    [
      [...get(TID), ...int(0), ...EQ],
      when(
        [...int(0), ...set(J), ...int(0), ...set(K)],
        loop(
          [...get(J), ...get(THREADS), ...GE, ...LEAVE_IF],
          [...get(ARENA), ...get(J), ...int(2), ...SHL, ...ADD, ...loadI32(0), ...get(K), ...ADD, ...set(K)],
          [...get(J), ...int(1), ...ADD, ...set(J)],
        ),
        [...argument(0), ...get(K), ...storeI32(0)],
      ),
    ].flat(),
  );

/** The share of the thread whose number is argument 0 traps in the second of three stages. */
export const trapIn = (options: ModuleOptions): Uint8Array =>
  assembleStages(options, [], [...get(TID), ...argument(0), ...EQ, ...when(UNREACHABLE)], []);

/** Nothing in one stage: what a launch costs. */
export const nothing = (options: ModuleOptions): Uint8Array => assemble(options);

/** Records an index error at the address of argument 0: node 7, index 12, size 10. */
export const indexError = (options: ModuleOptions): Uint8Array =>
  assemble(options, ...[1, 7, 12, 10].map((value, i) => [...argument(0), ...int(value), ...storeI32(4 * i)]));
