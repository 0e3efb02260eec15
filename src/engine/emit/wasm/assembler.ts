// A WebAssembly module from its parts: function types, imported memory, functions, constants, exports. Bytes in, bytes out; what
// the functions do is the emitter's business.

/** Unsigned LEB128. */
export function leb(value: number): number[] {
  const out: number[] = [];
  let v = value >>> 0;
  do {
    const low = v & 0x7f;
    v >>>= 7;
    out.push(v === 0 ? low : low | 0x80);
  } while (v !== 0);
  return out;
}

/** Signed LEB128 of a 32-bit integer. */
export function sleb(value: number): number[] {
  const out: number[] = [];
  let v = value | 0;
  for (;;) {
    const low = v & 0x7f;
    v >>= 7;
    if ((v === 0 && (low & 0x40) === 0) || (v === -1 && (low & 0x40) !== 0)) {
      out.push(low);
      return out;
    }
    out.push(low | 0x80);
  }
}

const floatBytes = new Uint8Array(4);
const floatView = new DataView(floatBytes.buffer);

/** As `sleb`, of a whole number that a float64 holds exactly. */
export function sleb64(value: number): number[] {
  const out: number[] = [];
  let v = BigInt(value);
  for (;;) {
    const low = Number(v & 0x7fn);
    v >>= 7n;
    if ((v === 0n && (low & 0x40) === 0) || (v === -1n && (low & 0x40) !== 0)) {
      out.push(low);
      return out;
    }
    out.push(low | 0x80);
  }
}

const wideBytes = new Uint8Array(8);
const wideView = new DataView(wideBytes.buffer);

export function f64Bytes(value: number): number[] {
  wideView.setFloat64(0, value, true);
  return [...wideBytes];
}

export function i64Bytes(value: number): number[] {
  wideView.setBigInt64(0, BigInt(value), true);
  return [...wideBytes];
}

export function f32Bytes(value: number): number[] {
  floatView.setFloat32(0, value, true);
  return [...floatBytes];
}

export function i32Bytes(value: number): number[] {
  floatView.setInt32(0, value | 0, true);
  return [...floatBytes];
}

/** A growing byte buffer. */
export class Bytes {
  private data = new Uint8Array(1024);
  length = 0;

  push(bytes: readonly number[]): void {
    this.reserve(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.data[this.length++] = bytes[i];
  }

  append(other: Uint8Array): void {
    this.reserve(other.length);
    this.data.set(other, this.length);
    this.length += other.length;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.data.length) return;
    const larger = new Uint8Array(Math.max(this.data.length * 2, this.length + count));
    larger.set(this.data.subarray(0, this.length));
    this.data = larger;
  }

  view(): Uint8Array {
    return this.data.subarray(0, this.length);
  }
}

export interface FunctionBody {
  readonly params: readonly number[];
  readonly locals: readonly number[];
  readonly code: Uint8Array;
}

export interface ModuleParts {
  readonly memory: { readonly shared: boolean; readonly maxPages: number };
  readonly functions: readonly FunctionBody[];
  /** Export name → function number. */
  readonly exports: Readonly<Record<string, number>>;
  /** Integers for whoever loads the module, exported as globals. */
  readonly constants: Readonly<Record<string, number>>;
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 } as const;

function section(id: number, content: Bytes): Bytes {
  const out = new Bytes();
  out.push([id, ...leb(content.length)]);
  out.append(content.view());
  return out;
}

function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...leb(bytes.length), ...bytes];
}

export function assembleModule(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const typeKeys: string[] = [];
  const types = new Bytes();
  const typeOf = parts.functions.map((f) => {
    const key = f.params.join();
    let i = typeKeys.indexOf(key);
    if (i < 0) {
      i = typeKeys.push(key) - 1;
      types.push([0x60, ...leb(f.params.length), ...f.params, 0]);
    }
    return i;
  });
  const typeSection = new Bytes();
  typeSection.push(leb(typeKeys.length));
  typeSection.append(types.view());

  const imports = new Bytes();
  const { shared, maxPages } = parts.memory;
  imports.push([1, ...name('env'), ...name('memory'), 0x02, shared ? 0x03 : 0x01, ...leb(1), ...leb(maxPages)]);

  const functions = new Bytes();
  functions.push([...leb(typeOf.length), ...typeOf.flatMap((t) => leb(t))]);

  const constants = Object.entries(parts.constants);
  const globals = new Bytes();
  globals.push(leb(constants.length));
  for (const [, value] of constants) globals.push([0x7f, 0x00, 0x41, ...sleb(value), 0x0b]);

  const exports = new Bytes();
  const entries = Object.entries(parts.exports);
  exports.push(leb(entries.length + constants.length));
  for (const [label, index] of entries) exports.push([...name(label), 0x00, ...leb(index)]);
  constants.forEach(([label], index) => exports.push([...name(label), 0x03, ...leb(index)]));

  const code = new Bytes();
  code.push(leb(parts.functions.length));
  for (const f of parts.functions) {
    const runs: [count: number, type: number][] = [];
    for (const type of f.locals) {
      const last = runs[runs.length - 1];
      if (last !== undefined && last[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    const locals = [...leb(runs.length), ...runs.flatMap(([n, t]) => [...leb(n), t])];
    code.push(leb(locals.length + f.code.length));
    code.push(locals);
    code.append(f.code);
  }

  const out = new Bytes();
  out.push(HEADER);
  for (const [id, content] of [
    [SECTION.type, typeSection],
    [SECTION.import, imports],
    [SECTION.function, functions],
    [SECTION.global, globals],
    [SECTION.export, exports],
    [SECTION.code, code],
  ] as const) {
    out.append(section(id, content).view());
  }
  return new Uint8Array(out.view());
}
