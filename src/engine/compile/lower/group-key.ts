// What decides the kernels of a group, as a text: its operators with their arguments, shapes and dtypes, which values are the same, what is
// stored, and what lies in a concatenation. Groups with equal texts have equal kernels, whatever memory they work in: the layers of a deep
// network, the steps of a recurrent one. Each step reads another slice of the same array; where a kernel reads nothing but slices of an
// array, how far into it the first of them begins is not part of the text, since that moves out of the kernel in any case (loop/origins.ts).
// Input: a group. Output: the text, and the nodes that it numbers. Whatever a lowering looks at has to be in it: lowered-groups.ts
// can be told to lower all the same, and to compare.

import { type Node, isOp } from '../../ir/node.js';
import { OP_CLASS } from '../../ir/op.js';
import { type Shape, stridesOf } from '../../ir/shape.js';
import { isContraction, isReduction } from '../graph/kinds.js';
import { partsOfStack } from '../graph/stacks.js';
import type { Group } from '../plan/group.js';
import { belowRepeats } from './kernel/bounds.js';
import type { LowerGroupOptions } from './lower-group.js';

export interface GroupKey {
  readonly text: string;
  /** What kernels are called with, and others, by the numbers that they have in the text. */
  readonly nodes: readonly Node[];
  /** Elements from the beginning of each to its first slice, where the text does not say it; else 0. */
  readonly origins: readonly number[];
}

export function groupKey(group: Group, options: LowerGroupOptions): GroupKey {
  return new KeyWriter(group, options).write();
}

/** Kernels report by its number which of these has met a wrong index or matrix. */
const REPORTS: ReadonlySet<string> = new Set(['gather', 'scatterAdd', 'scatterSums', 'checkIndex', 'dense']);
/** An index below these may lie outside of the array that it is of; whether it does can depend on where a slice begins. */
const OPEN: ReadonlySet<string> = new Set(['pad', 'window', 'fold', 'concat', 'gather']);

class KeyWriter {
  private readonly group: Group;
  private readonly options: LowerGroupOptions;
  private readonly members: ReadonlySet<Node>;
  private readonly nodes: Node[] = [];
  private readonly numbers = new Map<Node, number>();
  /** Slices of stored arrays, and how many elements from the array's beginning their first one is. */
  private readonly slices: { readonly array: number; readonly at: number }[] = [];
  /** Arrays that are read otherwise, too. */
  private readonly whole = new Set<number>();
  private readonly moving = new Map<Node, boolean>();
  private mayMove: boolean;

  constructor(group: Group, options: LowerGroupOptions) {
    this.group = group;
    this.options = options;
    this.members = new Set(group.members);
    this.mayMove = group.kind === 'loop' || (group.kind === 'contraction' && hasWholeVectors(group, options));
  }

  write(): GroupKey {
    const { members, kind } = this.group;
    const { isStored, inPlace } = this.options;
    for (const n of members) this.number(n);
    let text = kind;
    // What a contraction multiplies is read in blocks, which may reach beyond its end: before all else, so that nobody else says it.
    for (const n of members) if (isContraction(n)) for (const s of n.src) text += this.read(s, true);
    for (const n of members) {
      text += `\n${isStored(n) ? 'w' : '-'}${inPlace.has(n) ? 'p' : '-'}${this.placeOf(n)}${this.describe(n, false)}`;
      if (kind === 'concat') text += this.placedParts(n);
    }
    text += this.reductionsBelow();
    const origins = this.nodes.map(() => 0);
    return { text: text + this.origins(origins), nodes: this.nodes, origins };
  }

  private number(node: Node): number {
    const number = this.nodes.push(node) - 1;
    this.numbers.set(node, number);
    return number;
  }

  /** Is it read from memory? */
  private isArray(node: Node): boolean {
    return node.op === 'leaf' || (this.options.isMaterialised(node) && !this.members.has(node));
  }

  /** A value by its number; what it is, when it is met first. `isWhole`: of arrays below, all may be read. */
  private read(node: Node, isWhole: boolean): string {
    if (this.isArray(node)) {
      const text = this.array(node);
      this.whole.add(this.numbers.get(node) as number);
      return text;
    }
    const known = this.numbers.get(node);
    if (known !== undefined) return `#${known},`;
    this.number(node);
    return this.describe(node, isWhole);
  }

  private array(node: Node): string {
    const known = this.numbers.get(node);
    if (known !== undefined) return `#${known},`;
    this.number(node);
    return `<${node.dtype}${textOf(node.shape)}${this.placeOf(node)}>`;
  }

  private describe(node: Node, isWhole: boolean): string {
    if (node.op === 'slice' && this.moves(node.src[0]))
      return this.moved(
        node,
        node.shape.map(() => 0),
        isWhole,
      );
    if (OPEN.has(node.op)) this.mayMove = false;
    const { op, dtype, shape, src } = node;
    let text = `${op} ${dtype}${textOf(shape)}`;
    if (node.arg !== null && op !== 'scalar') text += textOf(node.arg);
    if (REPORTS.has(op)) text += `@${node.slot}`;
    text += '(';
    for (const s of src) text += this.read(s, isWhole);
    // A product that is not stored is computed in tiles, which may reach beyond its end.
    if (OP_CLASS[op] === 'kernel' && !this.members.has(node)) this.mayMove = false;
    return `${text})`;
  }

  /** A value as it is `position` further on in each axis, which goes to the arrays below. `moves` has to hold of it. */
  private moved(node: Node, position: readonly number[], isWhole: boolean): string {
    if (this.isArray(node)) {
      const text = this.array(node);
      const array = this.numbers.get(node) as number;
      if (isWhole || this.options.places.get(node)?.axis !== undefined) this.whole.add(array);
      this.slices.push({ array, at: elementAt(position, node.shape) });
      return text;
    }
    const { op, dtype, shape, src } = node;
    const number = this.numbers.get(node) ?? this.number(node);
    let text = `%${number} ${op} ${dtype}${textOf(shape)}`;
    if (isOp(node, 'slice')) text += textOf(node.arg.step);
    else if (node.arg !== null && op !== 'scalar') text += textOf(node.arg);
    text += '(';
    for (const s of src) text += this.moved(s, positionIn(node, s, position), isWhole);
    return `${text})`;
  }

  /**
   * Is a value further on that of arrays further on? So it is below views that add it to the position in memory and do nothing else with
   * it, and below what is computed element by element.
   */
  private moves(node: Node): boolean {
    if (this.isArray(node)) return true;
    let found = this.moving.get(node);
    if (found === undefined) {
      found = !this.members.has(node) && isLinear(node) && node.src.every((s) => this.moves(s));
      this.moving.set(node, found);
    }
    return found;
  }

  /** Where slices begin: in their array, or behind its first one. */
  private origins(origins: number[]): string {
    const first = new Map<number, number>();
    for (const { array, at } of this.slices) first.set(array, Math.min(at, first.get(array) ?? at));
    for (const [array, at] of first) if (this.mayMove && !this.whole.has(array)) origins[array] = at;
    let text = '\n';
    for (const { array, at } of this.slices) text += `${at - origins[array]} `;
    // Positions that are equal are computed once. Where nothing is to be added, nothing is.
    const seen = new Map([[0, 0]]);
    for (const array of first.keys()) {
      const same = seen.get(origins[array]) ?? seen.size;
      seen.set(origins[array], same);
      text += `=${same}`;
    }
    return text;
  }

  private placeOf(node: Node): string {
    const place = this.options.places.get(node);
    return place?.axis === undefined ? '' : `^${place.axis},${place.column}${textOf(place.host.shape)}`;
  }

  /** Which parts of a concatenation are where they belong. */
  private placedParts(node: Node): string {
    const { places } = this.options;
    return (partsOfStack(node) ?? []).map((part) => (places.get(part)?.host === node ? '!' : '.')).join('');
  }

  /** Arrays that are reductions of what is read beside them: softmax's quotients are cheaper for that (bounds.ts). */
  private reductionsBelow(): string {
    let text = '\n';
    this.nodes.forEach((n, i) => {
      if (!this.isArray(n)) return;
      const top = belowRepeats(n);
      const of = isReduction(top) ? this.numbers.get(top.src[0]) : undefined;
      if (of !== undefined) text += `${i}=${top.op}#${of} `;
    });
    return text;
  }
}

/** Does a product have no narrower vector at the end of its rows? */
function hasWholeVectors({ members }: Group, { target }: LowerGroupOptions): boolean {
  const node = members.find(isContraction);
  const width = node?.shape.at(-1) ?? 0;
  return node?.op === 'matmul' && width > 0 && width % target.lanes === 0;
}

/** Are its operands further on where it is, by a distance that depends on nothing else? */
function isLinear(node: Node): boolean {
  switch (OP_CLASS[node.op]) {
    case 'unary':
    case 'binary':
    case 'map':
    case 'identity':
      return true;
    default:
      return isOp(node, 'reshape')
        ? isMerging(node.shape, node.src[0].shape)
        : ['slice', 'permute', 'expand', 'const', 'scalar'].includes(node.op);
  }
}

/** Where an operand is read for the element of `node` at `position`. */
function positionIn(node: Node, operand: Node, position: readonly number[]): readonly number[] {
  const { shape } = operand;
  if (isOp(node, 'slice')) return position.map((x, i) => x * node.arg.step[i] + node.arg.start[i]);
  if (isOp(node, 'permute')) return shape.map((_, axis) => position[node.arg.axes.indexOf(axis)]);
  if (isOp(node, 'reshape')) return positionAt(elementAt(position, node.shape), shape);
  const lead = position.length - shape.length;
  return shape.map((size, i) => (size === 1 ? 0 : position[i + lead])); // repeated along the others
}

/** Does a reshape make one axis of several, here and there, and none into several? */
function isMerging(from: Shape, to: Shape): boolean {
  let i = 0;
  for (const size of to) {
    if (size === 1) continue;
    let merged = 1;
    while (merged < size) merged *= from[i++];
    if (merged !== size) return false;
  }
  return true;
}

function elementAt(position: readonly number[], shape: Shape): number {
  let element = 0;
  for (let i = 0; i < shape.length; i++) element = element * shape[i] + position[i];
  return element;
}

function positionAt(element: number, shape: Shape): number[] {
  return stridesOf(shape).map((stride, i) => Math.floor(element / stride) % shape[i]);
}

/** Of shapes and arguments, which never change and are shared by many nodes. */
const texts = new WeakMap<object, string>();

function textOf(value: object): string {
  let text = texts.get(value);
  if (text === undefined)
    texts.set(
      value,
      (text = `[${Object.entries(value).map(([k, v]) => entryText(Array.isArray(value) ? '' : k, v))}]`),
    );
  return text;
}

function entryText(name: string, value: unknown): string {
  const text = Object.is(value, -0)
    ? '-0'
    : typeof value === 'object' && value !== null
      ? textOf(value)
      : String(value);
  return name === '' ? text : `${name}:${text}`;
}
