// A graph as a text that other processes find again: equal texts, equal programs. The key of a graph (linearise.ts) is shorter, and
// made of numbers that belong to this process.
// Input: a graph. Output: its text; undefined where an argument is something that has no text.

import { OP_CLASS } from '../../../ir/op.js';
import type { Graph } from '../../../ir/graph/graph.js';
import type { Node } from '../../../ir/node.js';

/** Arguments that are asked for at run time, or only for derivatives: no program depends on them. */
const WITHOUT_ARGUMENT: ReadonlySet<string> = new Set(['leaf', 'scalar', 'custom']);

export function fingerprint({ nodes, inputs, scalars, outputs }: Graph): string | undefined {
  const numbers = new Map<Node, number>();
  const list = (of: readonly Node[]): string => of.map((n) => numbers.get(n)).join();
  let text = '';
  for (const node of nodes) {
    numbers.set(node, numbers.size);
    const { op, dtype, shape, arg, src } = node;
    const argument = arg === null || WITHOUT_ARGUMENT.has(op) ? '' : textOf(arg);
    if (argument === undefined) return undefined;
    text += `${op} ${dtype}[${shape.join()}]${argument}`;
    text += OP_CLASS[op] === 'leaf' && src.length === 0 ? '\n' : `(${list(src)})\n`;
  }
  text += `inputs ${list(inputs)}\nscalars ${list(scalars)}\n`;
  for (const { node, assign, isFull } of outputs)
    text += `output ${numbers.get(node)} ${assign ?? ''} ${isFull === true ? 'full' : ''}\n`;
  return text;
}

/** Of arguments, which are frozen and shared by many nodes. */
const texts = new WeakMap<object, string>();

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'boolean' || value === undefined || value === null) return String(value);
  if (typeof value !== 'object') return undefined;
  const known = texts.get(value);
  if (known !== undefined) return known;
  const parts: string[] = [];
  for (const [name, one] of Object.entries(value)) {
    const text = textOf(one);
    if (text === undefined) return undefined;
    parts.push(Array.isArray(value) ? text : `${name}:${text}`);
  }
  const text = Array.isArray(value) ? `[${parts.join()}]` : `{${parts.join()}}`;
  texts.set(value, text);
  return text;
}
