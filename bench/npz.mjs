// Arrays of an .npz file as NumPy writes it: names, shapes, numbers. For files that are known to be right: nothing is checked.

import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';

const ARRAYS = {
  f2: Uint16Array,
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  b1: Uint8Array,
};

function parseNpy(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [at, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = new TextDecoder('latin1').decode(bytes.subarray(at, at + length));
  const dtype = /'descr': '[<|=]?(\w+)'/.exec(header)[1];
  const shape = /'shape': \(([^)]*)\)/
    .exec(header)[1]
    .split(',')
    .filter((n) => n.trim() !== '')
    .map(Number);
  return { dtype, shape, data: new ARRAYS[dtype](bytes.slice(at + length).buffer) };
}

/** By name, without `.npy`. */
export function readNpz(path) {
  const files = Object.entries(unzipSync(readFileSync(path)));
  return Object.fromEntries(files.map(([name, bytes]) => [name.replace(/\.npy$/, ''), parseNpy(bytes)]));
}
