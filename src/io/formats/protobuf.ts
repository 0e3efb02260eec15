// Protocol buffers, written: fields one after the other, messages nested. The messages themselves are few and do not change, so they
// are spelled out where they are written (train/logging/messages.ts, onnx/wire/writer.ts) instead of being generated: what a browser
// loads stays at a few kilobytes.
// In: field numbers and values. Out: bytes of the wire format (proto3: fields with their default value may be left out).

const UTF8 = new TextEncoder();

/** Collects the fields of one message: bytes that are given are copied once, when all of it is put together. */
export class Message {
  private readonly parts: Uint8Array[] = [];
  /** In bytes. */
  length = 0;

  /** int32, int64, enum or bool: whole numbers from −2⁵³ to 2⁵³. */
  int(field: number, value: number | boolean): this {
    return this.add(field, 0, [varint(Number(value))]);
  }

  double(field: number, value: number): this {
    return this.add(field, 1, [doubles([value])]);
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.add(field, 5, [bytes]);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.add(field, 2, [varint(value.length), value]);
  }

  string(field: number, value: string): this {
    return this.bytes(field, UTF8.encode(value));
  }

  message(field: number, value: Message): this {
    return this.add(field, 2, [varint(value.length)], value.parts);
  }

  /** A repeated double, packed. */
  doubles(field: number, values: readonly number[]): this {
    return this.bytes(field, doubles(values));
  }

  finish(): Uint8Array {
    return concat(this.parts);
  }

  private add(field: number, wireType: number, content: readonly Uint8Array[], rest: readonly Uint8Array[] = []): this {
    for (const list of [[varint(field * 8 + wireType)], content, rest])
      for (const part of list) {
        this.parts.push(part);
        this.length += part.length;
      }
    return this;
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. What is negative has 64 bits, in two's complement. */
function varint(value: number): Uint8Array {
  if (value < 0) {
    const bits = BigInt.asUintN(64, BigInt(value));
    return Uint8Array.from({ length: 10 }, (_, i) => Number((bits >> BigInt(7 * i)) & 127n) | (i < 9 ? 128 : 0));
  }
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function doubles(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, i) => view.setFloat64(8 * i, value, true));
  return new Uint8Array(view.buffer);
}
