// Damage for files, as disks, editors and strangers do it. Bytes in any format, values in JSON.
import type { HostRandom } from '../../src/tensor/host-random.js';

/** A damaged copy: bytes changed, extreme numbers, a piece cut out, doubled or appended, the end cut off. */
export function mutate(file: Uint8Array, random: HostRandom): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(file); // the slice of a Buffer is no copy
  for (let times = 1 + random.below(3); times > 0 && bytes.length > 0; times--) {
    const at = random.below(random.below(2) === 0 ? Math.min(64, bytes.length) : bytes.length);
    const kind = random.below(6);
    if (kind === 0) bytes[at] ^= 1 << random.below(8);
    else if (kind === 1) bytes[at] = random.below(256);
    else if (kind === 2) bytes.fill([0, 1, 0x7f, 0x80, 0xff][random.below(5)], at, at + 4);
    else if (kind === 3) bytes = bytes.slice(0, at);
    else if (kind === 4) bytes = joined(bytes.subarray(0, at), bytes.subarray(at + random.below(8)));
    else bytes = joined(bytes.subarray(0, at + random.below(16)), bytes.subarray(at));
  }
  return bytes;
}

export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

const deep = (levels: number): unknown => (levels === 0 ? [] : [deep(levels - 1)]);
const NUMBERS = [0, -1, 1, 0.5, -0.25, 1e300, -1e300, 2 ** 31, 2 ** 53, 1e-320];
const TEXTS = ['', 'NaN', 'Infinity', '-Infinity', '1', 'x', '__proto__', 'constructor', '\u0000\u001b[31m', '\ud800'];
const LISTS: readonly unknown[] = [[], [[]], [null], [-1], deep(50)];
const OTHERS: readonly unknown[] = [null, true, false, {}, { '': null }, { length: 1e9 }, { toString: 1, valueOf: 2 }];
const ODD: readonly unknown[] = new Array<unknown>().concat(NUMBERS, TEXTS, OTHERS, LISTS);

/** A damaged copy of plain data: values replaced by odd ones, fields taken away, renamed, exchanged or added. */
export function mutateJson(value: unknown, random: HostRandom): unknown {
  let root = structuredClone(value);
  for (let times = 1 + random.below(2); times > 0; times--) {
    const places: [Record<string, unknown>, string][] = [];
    const visit = (at: unknown): void => {
      if (typeof at !== 'object' || at === null) return;
      for (const key of Object.keys(at)) {
        const holder = at as Record<string, unknown>;
        places.push([holder, key]);
        visit(holder[key]);
      }
    };
    visit(root);
    const odd = structuredClone(ODD[random.below(ODD.length)]);
    if (places.length === 0 || random.below(50) === 0) {
      root = odd;
      continue;
    }
    const [holder, key] = places[random.below(places.length)];
    const [other, otherKey] = places[random.below(places.length)];
    const kind = random.below(8);
    if (kind < 4) holder[key] = odd;
    else if (kind === 4 && Array.isArray(holder)) holder.splice(Number(key), 1);
    else if (kind === 4) delete holder[key];
    else if (kind === 5) holder[key] = structuredClone(other[otherKey]);
    else if (kind === 6 && Array.isArray(holder)) holder.push(odd);
    else if (kind === 6) holder[`${key}x`] = odd;
    else [holder[key], other[otherKey]] = [structuredClone(other[otherKey]), structuredClone(holder[key])];
  }
  return root;
}
