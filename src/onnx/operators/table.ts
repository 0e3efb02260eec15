// All operators, by domain and name.

import type { GraphNode } from '../graph/graph.js';
import { ACTIVATIONS } from './activations.js';
import { CONTROL } from './control.js';
import { CONVOLUTION } from './convolution.js';
import { ELEMENTWISE } from './elementwise.js';
import { INDEXING } from './indexing.js';
import { MICROSOFT } from './microsoft.js';
import { MICROSOFT_ATTENTION } from './microsoft-attention.js';
import { NORMALISATION } from './normalisation.js';
import type { Operator, Operators } from './operator.js';
import { PRODUCTS } from './products.js';
import { RECURRENT } from './recurrent.js';
import { REDUCTIONS } from './reductions.js';
import { RESIZE } from './resize.js';
import { ATTENTION } from './attention.js';
import { LOSSES } from './losses.js';
import { QUANTISED } from './quantised.js';
import { RANDOM } from './random.js';
import { SETS } from './sets.js';
import { SIGNAL } from './signal.js';
import { VISION } from './vision.js';
import { SHAPES } from './shapes.js';

const STANDARD: readonly Operators[] = [
  ELEMENTWISE,
  ACTIVATIONS,
  REDUCTIONS,
  SHAPES,
  INDEXING,
  CONVOLUTION,
  NORMALISATION,
  PRODUCTS,
  RECURRENT,
  RESIZE,
  CONTROL,
  ATTENTION,
  LOSSES,
  QUANTISED,
  RANDOM,
  SETS,
  SIGNAL,
  VISION,
  MICROSOFT,
  MICROSOFT_ATTENTION,
];

const TABLE: ReadonlyMap<string, Operator> = new Map(STANDARD.flatMap((family) => Object.entries(family)));

/** By name, with the domain where it is not the standard's: `Conv`, `com.microsoft::FusedMatMul`. */
export function findOperator(name: string): Operator | undefined {
  return TABLE.get(name);
}

/** The operator of a node of a checked graph. */
export function operatorOf(node: GraphNode): Operator | undefined {
  return TABLE.get(node.operator);
}

/** All names, in alphabetical order. */
export function operatorNames(): string[] {
  return [...TABLE.keys()].sort();
}

export const qualifiedName = (domain: string, name: string): string => (domain === '' ? name : `${domain}::${name}`);
