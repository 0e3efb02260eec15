// Operators whose results have sizes that depend on numbers, or that look at bits: computed on the host.

import { type HostArray, allocate, intsOf, sizeOf } from '../host/array.js';
import { taken } from '../host/movement.js';
import { rowOf } from '../wire/elements.js';
import type { Call, Operators, Result } from './operator.js';
import { typeOf } from './shapes.js';
import { largest } from '../../tensor/extremes.js';

/** The different slices along an axis, or the different elements: with where the first of each is, which one each is, and how often. */
function unique(call: Call): Result[] {
  const given = call.host(0);
  const isFlat = !call.hasAttribute('axis');
  const axis = isFlat ? 0 : call.axis(call.int('axis'));
  const x: HostArray = isFlat ? { ...given, shape: [given.data.length] } : given;
  const n = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const outer = sizeOf(x.shape.slice(0, axis));
  const slices = Array.from({ length: n }, (_, i) => {
    const list: number[] = [];
    for (let o = 0; o < outer; o++) for (let k = 0; k < inner; k++) list.push(x.data[(o * n + i) * inner + k]);
    return list;
  });
  const groups = new Map<string, number[]>();
  slices.forEach((list, i) => {
    const key = list.join();
    const found = groups.get(key);
    if (found === undefined) groups.set(key, [i]);
    else found.push(i);
  });
  const ordered = [...groups.values()];
  if (call.flag('sorted', true)) ordered.sort(([a], [b]) => compared(slices[a], slices[b]));
  const inverse = new Array<number>(n);
  ordered.forEach((members, i) => members.forEach((at) => (inverse[at] = i)));
  const firsts = ordered.map(([first]) => first);
  const values = n === 0 ? x : taken(x, intsOf(firsts), axis);
  return [values, intsOf(firsts), intsOf(inverse), intsOf(ordered.map(({ length }) => length))];
}

function compared(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i] || Number.isNaN(b[i]) ? -1 : 1;
  return 0;
}

/** The same bits as another type of the same width. */
function bitCast(call: Call): Result {
  const x = call.host(0);
  const to = typeOf(call, call.int('to'));
  const [from, row] = [rowOf(x.type), rowOf(to)];
  if (from.bytes !== row.bytes) return call.fail(`${x.type} and ${to} are of different width`);
  const view = new DataView(new ArrayBuffer(8));
  const out = allocate(to, x.shape);
  for (let i = 0; i < out.data.length; i++) {
    from.write(view, x.data[i]);
    out.data[i] = row.read(view, 0);
  }
  return out;
}

/** How often n-grams of a list of known ones are in each row, as counts, as marks, or weighted. */
function countedNgrams(call: Call): Result {
  const x = call.host(0);
  const mode = call.text('mode');
  const pool = call.ints('pool_int64s') ?? call.fail('it knows texts, which nabla has not');
  const begins = call.ints('ngram_counts') ?? [];
  const places = call.ints('ngram_indexes') ?? [];
  const weights = call.floats('weights');
  const [shortest, longest] = [call.int('min_gram_length'), call.int('max_gram_length')];
  const grams = new Map<string, number>();
  let number = 0;
  begins.forEach((begin, i) => {
    const length = i + 1;
    const end = begins[i + 1] ?? pool.length;
    for (let at = begin; at + length <= end; at += length) {
      if (length >= shortest && length <= longest) grams.set(pool.slice(at, at + length).join(), number);
      number++;
    }
  });
  const [rows, columns] = x.shape.length === 2 ? x.shape : [1, x.data.length];
  const width = largest(places) + 1;
  const out = allocate('float32', x.shape.length === 2 ? [rows, width] : [width]);
  for (let row = 0; row < rows; row++) {
    for (let length = shortest; length <= longest; length++) {
      const skips = length === 1 ? 0 : call.int('max_skip_count');
      for (let step = 1; step <= skips + 1; step++) {
        for (let at = 0; at + (length - 1) * step < columns; at++) {
          const gram = Array.from({ length }, (_, k) => x.data[row * columns + at + k * step]).join();
          const found = grams.get(gram);
          if (found !== undefined) out.data[row * width + places[found]]++;
        }
      }
    }
  }
  for (let i = 0; i < out.data.length; i++) {
    const count = mode === 'IDF' ? Math.min(out.data[i], 1) : out.data[i];
    const weight = mode === 'TF' || weights === undefined ? 1 : weights[places.indexOf(i % width)];
    out.data[i] = count * (weight ?? 1);
  }
  return out;
}

export const SETS: Operators = {
  Unique: { inputs: [1, 1], host: unique },
  BitCast: { inputs: [1, 1], host: bitCast },
  TfIdfVectorizer: { inputs: [1, 1], host: countedNgrams },
};
