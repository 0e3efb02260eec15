// What scheduling and tiling need to know of a machine: a plain record, no code.

export interface Target {
  readonly name: string;
  /** 32-bit lanes of a vector register. */
  readonly lanes: number;
  /** Rows and columns (in vectors) of the matmul register tile. */
  readonly tileRows: number;
  readonly tileVectors: number;
  /** Bytes of data cache that one thread can count on. */
  readonly l1Bytes: number;
  readonly l2Bytes: number;
  /** Vectors are multiplied and added with one rounding. */
  readonly fuses: boolean;
}

/** WebAssembly SIMD-128: 4 rows of 2 vectors is the largest tile that V8 keeps in registers. */
export const WASM_TARGET: Target = {
  name: 'wasm',
  lanes: 4,
  tileRows: 4,
  tileVectors: 2,
  l1Bytes: 32 << 10,
  l2Bytes: 512 << 10,
  fuses: false,
};

/** Instruction sets of native code, the widest first, by the macros that C compilers define for them. */
export const CPU_TARGETS: readonly (Target & { readonly macros: readonly string[]; readonly flags?: string[] })[] = [
  // 32 registers: 24 accumulators of 16 floats, 2 for B, the rest for A. Compilers that are older than the processor tune
  // for its predecessors, where such registers are dear, and keep operands of the inner loop in memory.
  {
    name: 'AVX-512',
    macros: ['__AVX512F__'],
    flags: ['-mtune=skylake-avx512'],
    lanes: 16,
    tileRows: 12,
    tileVectors: 2,
    l1Bytes: 32 << 10,
    l2Bytes: 1 << 20,
    fuses: true,
  },
  // 16 registers.
  {
    name: 'AVX2',
    macros: ['__AVX2__', '__FMA__'],
    lanes: 8,
    tileRows: 6,
    tileVectors: 2,
    l1Bytes: 32 << 10,
    l2Bytes: 512 << 10,
    fuses: true,
  },
  {
    name: 'NEON',
    macros: ['__ARM_NEON', '__aarch64__'],
    lanes: 4,
    tileRows: 8,
    tileVectors: 2,
    l1Bytes: 64 << 10,
    l2Bytes: 1 << 20,
    fuses: true,
  },
  {
    name: 'SSE2',
    macros: ['__SSE2__'],
    lanes: 4,
    tileRows: 4,
    tileVectors: 2,
    l1Bytes: 32 << 10,
    l2Bytes: 256 << 10,
    fuses: false,
  },
];
