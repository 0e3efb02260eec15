// The messages of TensorBoard's event files, from event.proto, summary.proto, tensor.proto, graph.proto and the plugin of
// hyper-parameters. Numbers are their fields.

import type { Histogram } from './histogram.js';
import { Message } from '../../io/formats/protobuf.js';

export type HyperParameter = number | string | boolean;

// ---------------------------------------------------------------- events

const START = 1;

/** Something that happened at a time; `field` says what. */
function event(seconds: number, step: number): Message {
  return new Message().double(1, seconds).int(2, step);
}

/** The first event of a file. */
export function versionEvent(seconds: number): Uint8Array {
  return new Message().double(1, seconds).string(3, 'brain.Event:2').finish();
}

export function summaryEvent(seconds: number, step: number, values: readonly Message[]): Uint8Array {
  const summary = new Message();
  for (const value of values) summary.message(1, value);
  return event(seconds, step).message(5, summary).finish();
}

export function graphEvent(seconds: number, graph: Uint8Array): Uint8Array {
  return event(seconds, 0).bytes(4, graph).finish();
}

/** From here on a run starts again: what was written for this step and later ones is void. */
export function restartEvent(seconds: number, step: number): Uint8Array {
  return event(seconds, step).message(7, new Message().int(1, START)).finish();
}

// ---------------------------------------------------------------- values of a summary

const tagged = (tag: string): Message => new Message().string(1, tag);

function pluginMetadata(name: string, content: Uint8Array): Message {
  return new Message().message(1, new Message().string(1, name).bytes(2, content));
}

export function scalarValue(tag: string, value: number): Message {
  return tagged(tag).float(2, value);
}

export function histogramValue(tag: string, histogram: Histogram): Message {
  const { min, max, count, sum, sumOfSquares, limits, counts } = histogram;
  const content = new Message().double(1, min).double(2, max).double(3, count).double(4, sum).double(5, sumOfSquares);
  return tagged(tag).message(5, content.doubles(6, limits).doubles(7, counts));
}

export function imageValue(tag: string, png: Uint8Array, [channels, height, width]: readonly number[]): Message {
  return tagged(tag).message(4, new Message().int(1, height).int(2, width).int(3, channels).bytes(4, png));
}

const DT_STRING = 7;

export function textValue(tag: string, text: string): Message {
  const shape = new Message().message(2, new Message().int(1, 1));
  const tensor = new Message().int(1, DT_STRING).message(2, shape).string(8, text);
  const version = new Message().int(1, 0).finish();
  return tagged(`${tag}/text_summary`).message(9, pluginMetadata('text', version)).message(8, tensor);
}

// ---------------------------------------------------------------- hyper-parameters

const STATUS = { completed: 1, failed: 2 } as const;

function hparamsValue(tag: string, field: number, content: Message): Message {
  const data = new Message().int(1, 0).message(field, content).finish();
  return tagged(tag).message(9, pluginMetadata('hparams', data));
}

/** Names and types of the hyper-parameters, and the tags of the scalars that runs are compared by. */
export function experimentValue(
  hparams: Readonly<Record<string, HyperParameter>>,
  metrics: readonly string[],
): Message {
  const types = { string: 1, boolean: 2, number: 3 };
  const content = new Message();
  for (const [name, value] of Object.entries(hparams)) {
    content.message(4, new Message().string(1, name).int(4, types[typeof value as keyof typeof types]));
  }
  for (const tag of metrics) content.message(5, new Message().message(1, new Message().string(2, tag)));
  return hparamsValue('_hparams_/experiment', 2, content);
}

export function sessionStartValue(hparams: Readonly<Record<string, HyperParameter>>, seconds: number): Message {
  const content = new Message();
  for (const [name, value] of Object.entries(hparams)) {
    const wrapped = new Message();
    if (typeof value === 'number') wrapped.double(2, value);
    else if (typeof value === 'string') wrapped.string(3, value);
    else wrapped.int(4, value);
    content.message(1, new Message().string(1, name).message(2, wrapped));
  }
  return hparamsValue('_hparams_/session_start_info', 3, content.double(5, seconds));
}

export function sessionEndValue(status: keyof typeof STATUS, seconds: number): Message {
  const content = new Message().int(1, STATUS[status]).double(2, seconds);
  return hparamsValue('_hparams_/session_end_info', 4, content);
}

// ---------------------------------------------------------------- graphs

export interface GraphDefNode {
  /** Unique; slashes make boxes in boxes. */
  readonly name: string;
  readonly op: string;
  /** Names of the nodes whose results go in. */
  readonly inputs: readonly string[];
  readonly shape: readonly number[];
  readonly dtype: string;
}

const DTYPES: Readonly<Record<string, number>> = { float32: 1, int32: 3, bool: 10 };

/** A GraphDef message. */
export function graphDef(nodes: readonly GraphDefNode[]): Uint8Array {
  const graph = new Message();
  for (const { name, op, inputs, shape, dtype } of nodes) {
    const node = new Message().string(1, name).string(2, op);
    for (const input of inputs) node.string(3, input);
    const sizes = new Message();
    for (const size of shape) sizes.message(2, new Message().int(1, size));
    const attribute = (key: string, value: Message) => node.message(5, new Message().string(1, key).message(2, value));
    attribute('_output_shapes', new Message().message(1, new Message().message(7, sizes)));
    attribute('dtype', new Message().int(6, DTYPES[dtype] ?? 0));
    graph.message(1, node);
  }
  return graph.message(4, new Message().int(1, 22)).finish();
}
