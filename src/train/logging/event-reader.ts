// TensorBoard's event files, read: those of SummaryWriter here, and those of others. What a crash has cut off is left for the next
// time; what is damaged ends the reading. Nothing is allocated by a length that a file states before that many bytes are there.
// In: bytes. Out: scalars, histograms, images and texts by tag.
// Source: tensorboard/compat/proto/{event,summary,tensor}.proto

import { PbfReader } from 'pbf';
import { maskedCrc } from './tf-record.js';

export type LoggedValue =
  | { readonly kind: 'scalar'; readonly tag: string; readonly value: number }
  | {
      readonly kind: 'histogram';
      readonly tag: string;
      /** Upper ends of the buckets, and how many values each holds. */
      readonly limits: readonly number[];
      readonly counts: readonly number[];
      readonly min: number;
    }
  | { readonly kind: 'image'; readonly tag: string; readonly png: Uint8Array }
  | { readonly kind: 'text'; readonly tag: string; readonly text: string };

export interface LoggedNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
}

export interface LoggedEvent {
  /** Seconds since 1970. */
  readonly time: number;
  readonly step: number;
  readonly values: readonly LoggedValue[];
  /** Of a model: nodes with their operator and the names of those before them. */
  readonly graph?: readonly LoggedNode[];
  /** The run starts again: what was logged for this step and later ones is void. */
  readonly isRestart: boolean;
}

const HEAD = 12;
const FOOT = 4;

/**
 * The events in bytes that begin at a record, and how many bytes they take: a record that is not complete comes later. `isDamaged`
 * where a checksum is wrong: nothing after it can be read.
 */
export function readEvents(bytes: Uint8Array): { events: LoggedEvent[]; used: number; isDamaged: boolean } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: LoggedEvent[] = [];
  let at = 0;
  while (at + HEAD <= bytes.length) {
    if (view.getUint32(at + 8, true) !== maskedCrc(bytes.subarray(at, at + 8)))
      return { events, used: at, isDamaged: true };
    const length = Number(view.getBigUint64(at, true));
    const end = at + HEAD + length + FOOT;
    if (end > bytes.length) break;
    const data = bytes.subarray(at + HEAD, at + HEAD + length);
    if (view.getUint32(end - FOOT, true) !== maskedCrc(data)) return { events, used: at, isDamaged: true };
    const event = readEvent(data);
    if (event !== undefined) events.push(event);
    at = end;
  }
  return { events, used: at, isDamaged: false };
}

function readEvent(data: Uint8Array): LoggedEvent | undefined {
  let [time, step, isRestart] = [0, 0, false];
  const values: LoggedValue[] = [];
  let graph: LoggedNode[] | undefined;
  try {
    const pbf = new PbfReader(data);
    each(pbf, data.length, (field, end) => {
      if (field === 1) time = pbf.readDouble();
      else if (field === 2) step = pbf.readVarint(true);
      else if (field === 4) graph = readGraph(pbf.readBytes());
      else if (field === 7) each(pbf, end(), (inner) => inner === 1 && void (isRestart = pbf.readVarint() === 1));
      else if (field === 5)
        each(pbf, end(), (inner, innerEnd) => {
          if (inner !== 1) return;
          const value = readValue(pbf, innerEnd());
          if (value !== undefined) values.push(value);
        });
    });
  } catch {
    return undefined; // a record whose checksum is right and that is no event: of another kind of file
  }
  return { time, step, values, isRestart, ...(graph && { graph }) };
}

/** A GraphDef: nodes with a name (1), an operator (2) and inputs (3). */
function readGraph(bytes: Uint8Array): LoggedNode[] {
  const nodes: LoggedNode[] = [];
  const pbf = new PbfReader(bytes);
  each(pbf, bytes.length, (field, end) => {
    if (field !== 1) return;
    const node = { name: '', op: '', inputs: [] as string[] };
    each(pbf, end(), (inner) => {
      if (inner === 1) node.name = pbf.readString();
      else if (inner === 2) node.op = pbf.readString();
      else if (inner === 3) node.inputs.push(pbf.readString());
    });
    nodes.push(node);
  });
  return nodes;
}

/** Calls `read` for each field of the message that ends at `end`; what it does not read is skipped. */
function each(pbf: PbfReader, end: number, read: (field: number, end: () => number) => unknown): void {
  while (pbf.pos < end) {
    const key = pbf.readVarint();
    pbf.type = key & 7;
    const begin = pbf.pos;
    read(key >> 3, () => pbf.readVarint() + pbf.pos);
    if (pbf.pos === begin) pbf.skip(key);
  }
  if (pbf.pos !== end) throw new RangeError('a field reaches beyond its message');
}

interface Found {
  tag: string;
  value?: number;
  histogram?: { limits: number[]; counts: number[]; min: number };
  png?: Uint8Array;
  plugin: string;
  tensor?: TensorFound;
}

interface TensorFound {
  sizes: number[];
  numbers: number[];
  strings: Uint8Array[];
  content?: Uint8Array;
  type: number;
}

function readValue(pbf: PbfReader, end: number): LoggedValue | undefined {
  const found: Found = { tag: '', plugin: '' };
  each(pbf, end, (field, inner) => {
    if (field === 1) found.tag = pbf.readString();
    else if (field === 2) found.value = pbf.readFloat();
    else if (field === 4) each(pbf, inner(), (f) => f === 4 && void (found.png = pbf.readBytes()));
    else if (field === 5) found.histogram = readHistogram(pbf, inner());
    else if (field === 8) found.tensor = readTensor(pbf, inner());
    else if (field === 9)
      each(
        pbf,
        inner(),
        (f, plugin) => f === 1 && each(pbf, plugin(), (g) => g === 1 && void (found.plugin = pbf.readString())),
      );
  });
  return valueOf(found);
}

function valueOf({ tag, value, histogram, png, plugin, tensor }: Found): LoggedValue | undefined {
  if (value !== undefined) return { kind: 'scalar', tag, value };
  if (histogram !== undefined) return { kind: 'histogram', tag, ...histogram };
  if (png !== undefined) return { kind: 'image', tag, png };
  if (tensor === undefined) return undefined;
  const numbers = numbersOf(tensor);
  if (plugin === 'text' && tensor.strings.length > 0)
    return { kind: 'text', tag: tag.replace(/\/text_summary$/, ''), text: new TextDecoder().decode(tensor.strings[0]) };
  if (plugin === 'images' && tensor.strings.length > 2) return { kind: 'image', tag, png: tensor.strings[2] }; // width, height, images
  if (plugin === 'scalars' && numbers.length > 0) return { kind: 'scalar', tag, value: numbers[0] };
  if (plugin === 'histograms' && numbers.length > 0 && numbers.length % 3 === 0) {
    const rows = Array.from({ length: numbers.length / 3 }, (_, i) => numbers.slice(3 * i, 3 * i + 3)); // left, right, count
    return { kind: 'histogram', tag, limits: rows.map((r) => r[1]), counts: rows.map((r) => r[2]), min: rows[0][0] };
  }
  return undefined;
}

function readHistogram(pbf: PbfReader, end: number): { limits: number[]; counts: number[]; min: number } {
  const out = { limits: [] as number[], counts: [] as number[], min: 0 };
  each(pbf, end, (field) => {
    if (field === 1) out.min = pbf.readDouble();
    else if (field === 6) pbf.readPackedDouble(out.limits);
    else if (field === 7) pbf.readPackedDouble(out.counts);
  });
  return out;
}

const [FLOAT, DOUBLE] = [1, 2];

function readTensor(pbf: PbfReader, end: number): TensorFound {
  const out: TensorFound = { sizes: [], numbers: [], strings: [], type: 0 };
  each(pbf, end, (field) => {
    if (field === 1) out.type = pbf.readVarint();
    else if (field === 4) out.content = pbf.readBytes();
    else if (field === 5) pbf.readPackedFloat(out.numbers);
    else if (field === 6) pbf.readPackedDouble(out.numbers);
    else if (field === 8) out.strings.push(pbf.readBytes());
  });
  return out;
}

function numbersOf({ numbers, content, type }: TensorFound): number[] {
  if (numbers.length > 0 || content === undefined) return numbers;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (type === FLOAT) return Array.from({ length: content.length >> 2 }, (_, i) => view.getFloat32(4 * i, true));
  if (type === DOUBLE) return Array.from({ length: content.length >> 3 }, (_, i) => view.getFloat64(8 * i, true));
  return [];
}
