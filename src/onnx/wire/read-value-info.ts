// What onnx.proto says of a graph's inputs, outputs and values: names, element types, shapes.

import type { DimensionMessage, ValueInfoMessage } from './messages.js';
import type { WireReader } from './reader.js';

export const newValueInfo = (): ValueInfoMessage => ({ name: '', elementType: 0, shape: undefined, kind: 'tensor' });

export function valueInfoField(field: number, info: ValueInfoMessage, reader: WireReader): boolean {
  if (field === 1) info.name = reader.text();
  else if (field === 2) reader.message(info, typeField);
  else return false;
  return true;
}

const KINDS: Readonly<Record<number, string>> = { 4: 'sequence', 5: 'map', 8: 'sparse', 9: 'optional' };

function typeField(field: number, info: ValueInfoMessage, reader: WireReader): boolean {
  if (field === 1) {
    info.kind = 'tensor';
    reader.message(info, tensorTypeField);
    return true;
  }
  if (field in KINDS) info.kind = KINDS[field];
  return false;
}

function tensorTypeField(field: number, info: ValueInfoMessage, reader: WireReader): boolean {
  if (field === 1) info.elementType = reader.int();
  else if (field === 2) info.shape = reader.message([], shapeField);
  else return false;
  return true;
}

function shapeField(field: number, shape: DimensionMessage[], reader: WireReader): boolean {
  if (field !== 1) return false;
  const dimension: { size: DimensionMessage } = { size: undefined };
  reader.message(dimension, dimensionField);
  shape.push(dimension.size);
  return true;
}

function dimensionField(field: number, dimension: { size: DimensionMessage }, reader: WireReader): boolean {
  if (field === 1) {
    const size = reader.int();
    dimension.size = size >= 0 ? size : undefined; // Paddle writes -1 for a size that is not known
  } else if (field === 2) dimension.size = reader.text();
  else return false;
  return true;
}
