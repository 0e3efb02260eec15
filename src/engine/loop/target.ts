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
}

/** WebAssembly SIMD-128: 4 rows of 2 vectors is the largest tile that V8 keeps in registers. */
export const WASM_TARGET: Target = {
  name: 'wasm',
  lanes: 4,
  tileRows: 4,
  tileVectors: 2,
  l1Bytes: 32 << 10,
  l2Bytes: 512 << 10,
};
