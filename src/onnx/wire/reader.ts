// Protobuf, read with every length checked: pbf decodes varints and numbers, and nothing here reads beyond the message it is in.
// Input: bytes. Output: fields, one after the other. It knows nothing of ONNX.

import { PbfReader } from 'pbf';
import { FormatError } from '../../tensor/library.js';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const WIDTHS: Readonly<Record<number, number>> = { [FIXED64]: 8, [FIXED32]: 4 };

const SHORT = 100;
/** Messages in messages: graphs in nodes in graphs. */
const DEEPEST = 200;

/** Reads one field of a message into `message`; false where it does not know the field. */
export type FieldReader<T> = (field: number, message: T, reader: WireReader) => boolean;

export class WireReader {
  private readonly pbf: PbfReader;
  private readonly bytes: Uint8Array;
  private readonly path: string | undefined;
  /** Where the message that is being read ends. */
  private end: number;
  private depth = 0;

  constructor(given: Uint8Array, path?: string) {
    // a Buffer of Node, whose slice() is a view, becomes what others have
    const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
    this.pbf = new PbfReader(bytes);
    this.bytes = bytes;
    this.path = path;
    this.end = bytes.length;
  }

  fail(what: string): never {
    throw new FormatError(
      `onnx: ${this.path === undefined ? '' : `${this.path}: `}${what} (at byte ${this.pbf.pos}). The file is damaged or not an ONNX model.`,
      this.path,
      this.pbf.pos,
    );
  }

  /** All fields up to the end of the message that is being read. */
  fields<T>(message: T, read: FieldReader<T>): T {
    const { pbf } = this;
    while (pbf.pos < this.end) {
      const tag = this.varint();
      const field = Math.floor(tag / 8);
      pbf.type = tag % 8;
      if (field === 0) this.fail('a field has number 0');
      const begin = pbf.pos;
      if (!read(field, message, this)) {
        pbf.pos = begin;
        this.skip();
      }
    }
    if (pbf.pos !== this.end) this.fail('a field reaches beyond its message');
    return message;
  }

  /** A message inside this one. */
  message<T>(message: T, read: FieldReader<T>): T {
    const outer = this.end;
    this.end = this.stretch();
    if (++this.depth > DEEPEST) this.fail(`messages are nested deeper than ${DEEPEST}`);
    this.fields(message, read);
    this.depth--;
    this.end = outer;
    return message;
  }

  /** The bytes of a field, as a view. */
  view(): Uint8Array {
    const end = this.stretch();
    const view = this.bytes.subarray(this.pbf.pos, end);
    this.pbf.pos = end;
    return view;
  }

  text(): string {
    const { bytes, pbf } = this;
    const end = this.stretch();
    const begin = pbf.pos;
    pbf.pos = end;
    if (end - begin > SHORT) return decoder.decode(bytes.subarray(begin, end));
    // names are short and plain mostly, and a decoder takes a microsecond for each
    let text = '';
    for (let i = begin; i < end; i++) {
      if (bytes[i] > 0x7f) return decoder.decode(bytes.subarray(begin, end));
      text += String.fromCharCode(bytes[i]);
    }
    return text;
  }

  /** A whole number; beyond 2⁵³ the nearest that JavaScript has. */
  int(): number {
    this.expect(VARINT);
    return this.varint(true);
  }

  float(): number {
    this.expect(FIXED32);
    this.room(4);
    return this.pbf.readFloat();
  }

  /** Numbers of a repeated field, packed or one by one, appended. */
  ints(list: number[]): void {
    this.repeated(VARINT, 1, () => list.push(this.varint(true)));
  }
  floats(list: number[]): void {
    this.repeated(FIXED32, 4, () => list.push(this.pbf.readFloat()));
  }
  doubles(list: number[]): void {
    this.repeated(FIXED64, 8, () => list.push(this.pbf.readDouble()));
  }

  private repeated(type: number, width: number, read: () => void): void {
    if (this.pbf.type !== BYTES) {
      this.expect(type);
      this.room(width);
      read();
      return;
    }
    const end = this.stretch();
    while (this.pbf.pos < end) {
      if (end - this.pbf.pos < width) this.fail('a list of numbers ends in the middle of one');
      read();
    }
    if (this.pbf.pos !== end) this.fail('a list of numbers ends in the middle of one');
  }

  private varint(isSigned = false): number {
    const { pbf, bytes, end } = this;
    // pbf reads on where a number does not end: look for its last byte first
    let at = pbf.pos;
    while (at < end && bytes[at] > 0x7f) at++;
    if (at >= end || at - pbf.pos > 9) this.fail('a number does not end');
    return pbf.readVarint(isSigned);
  }

  private stretch(): number {
    this.expect(BYTES);
    const length = this.varint();
    if (!(length <= this.end - this.pbf.pos))
      this.fail(`${length} bytes are announced where ${this.end - this.pbf.pos} are left`);
    return this.pbf.pos + length;
  }

  private expect(type: number): void {
    if (this.pbf.type !== type) this.fail(`a field has wire type ${this.pbf.type}, not ${type}`);
  }

  private room(bytes: number): void {
    if (this.end - this.pbf.pos < bytes)
      this.fail(`${bytes} bytes are needed where ${this.end - this.pbf.pos} are left`);
  }

  private skip(): void {
    const { pbf } = this;
    if (pbf.type === VARINT) this.varint();
    else if (pbf.type === BYTES) pbf.pos = this.stretch();
    else if (pbf.type in WIDTHS) {
      this.room(WIDTHS[pbf.type]);
      pbf.pos += WIDTHS[pbf.type];
    } else this.fail(`a field has wire type ${pbf.type}`);
  }
}

const decoder = new TextDecoder('utf-8');
