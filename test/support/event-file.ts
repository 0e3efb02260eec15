// Reads TensorBoard event files without any of the code that writes them: TFRecord framing with its checksums, and the
// wire format of protocol buffers, as far as messages say themselves how long they are.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** CRC-32C bit by bit. */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit++) {
      const carry = ((value ^ (byte >> bit)) & 1) === 1;
      value = (value >>> 1) ^ (carry ? 0x82f63b78 : 0);
    }
  const plain = ~value >>> 0;
  return (((plain >>> 15) | (plain << 17)) + 0xa282ead8) >>> 0;
}

/** The records of a file; a last one that is cut off is left out. Throws for a wrong checksum. */
export function readRecords(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const records: Uint8Array[] = [];
  for (let at = 0; at + 12 <= file.length;) {
    const length = Number(view.getBigUint64(at, true));
    if (view.getUint32(at + 8, true) !== crc(file.subarray(at, at + 8))) throw new Error(`checksum of length at ${at}`);
    if (at + 16 + length > file.length) break;
    const data = file.subarray(at + 12, at + 12 + length);
    if (view.getUint32(at + 12 + length, true) !== crc(data)) throw new Error(`checksum of data at ${at}`);
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** A message: for each field its values, numbers for fixed sizes and varints, bytes for everything else. */
export class Fields {
  private readonly values = new Map<number, (number | Uint8Array)[]>();

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    const varint = () => {
      let [value, scale] = [0, 1];
      for (;;) {
        const byte = bytes[at++];
        value += (byte & 127) * scale;
        scale *= 128;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.length) {
      const key = varint();
      let value: number | Uint8Array;
      if (key % 8 === 0) value = varint();
      else if (key % 8 === 1) {
        value = view.getFloat64(at, true);
        at += 8;
      } else if (key % 8 === 5) {
        value = view.getFloat32(at, true);
        at += 4;
      } else if (key % 8 === 2) {
        const length = varint();
        value = bytes.subarray(at, at + length);
        at += length;
      } else throw new Error(`wire type ${key % 8}`);
      this.values.set(key >> 3, [...(this.values.get(key >> 3) ?? []), value]);
    }
    if (at !== bytes.length) throw new Error('a message is cut off');
  }

  number(field: number): number {
    return (this.values.get(field)?.[0] as number | undefined) ?? 0;
  }

  bytes(field: number): Uint8Array {
    return (this.values.get(field)?.[0] as Uint8Array | undefined) ?? new Uint8Array(0);
  }

  text(field: number): string {
    return new TextDecoder().decode(this.bytes(field));
  }

  texts(field: number): string[] {
    return (this.values.get(field) ?? []).map((v) => new TextDecoder().decode(v as Uint8Array));
  }

  message(field: number): Fields {
    return new Fields(this.bytes(field));
  }

  messages(field: number): Fields[] {
    return (this.values.get(field) ?? []).map((v) => new Fields(v as Uint8Array));
  }

  doubles(field: number): number[] {
    const bytes = this.bytes(field);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
  }

  has(field: number): boolean {
    return this.values.has(field);
  }
}

/** All events of the one event file of a folder. */
export function readEvents(folder: string): Fields[] {
  const names = readdirSync(folder).filter((name) => name.includes('tfevents'));
  if (names.length !== 1) throw new Error(`${names.length} event files in ${folder}`);
  return readRecords(readFileSync(join(folder, names[0]))).map((record) => new Fields(record));
}

/** Scalars by tag, as [step, value]. */
export function scalarsOf(events: readonly Fields[]): Record<string, [number, number][]> {
  const scalars: Record<string, [number, number][]> = {};
  for (const event of events)
    for (const value of event.message(5).messages(1))
      if (value.has(2)) (scalars[value.text(1)] ??= []).push([event.number(2), value.number(2)]);
  return scalars;
}
