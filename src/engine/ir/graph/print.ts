// Graphs as text: one line per node for errors and debug prints, Mermaid and Graphviz for pictures.
// Input: a list of nodes, operands first (`topologicalOrder`), and captions such as values or gradients, if wanted.
// Operands that are not in the list are written by their node id. No layout, no numbers: those come as captions.

import type { Node } from '../node.js';
import type { OpArgs } from '../op.js';

/** More to say about a node (its value, its gradient): one line of text, or several. */
export type Captions = (node: Node, index: number) => string | undefined;

/** `%2 = sum float32 [3, 1] (%1) axes=[1]`, one line per node. */
export function printGraph(nodes: readonly Node[], captions?: Captions): string {
  const names = numberNodes(nodes);
  return nodes
    .map((node, i) => {
      const operands =
        node.src.length > 0 ? ` (${node.src.map((s) => names.get(s) ?? `node ${s.id}`).join(', ')})` : '';
      const caption = captions?.(node, i);
      const line = `%${i} = ${node.op} ${node.dtype} [${node.shape.join(', ')}]${operands}${printArgument(node, ' ')}`;
      return caption === undefined ? line : `${line}  # ${caption.replaceAll('\n', '; ')}`;
    })
    .join('\n');
}

/** A Mermaid flowchart, operands above users. */
export function toMermaid(nodes: readonly Node[], captions?: Captions): string {
  const lines = ['flowchart TD'];
  const numbers = numberNodes(nodes, 'n');
  nodes.forEach((node, i) => {
    const text = describe(node, i, captions).map(escapeMermaid).join('<br/>');
    const [open, close] = node.src.length === 0 ? ['(["', '"])'] : ['["', '"]'];
    lines.push(`  n${i}${open}${text}${close}`);
  });
  for (const [from, to] of edges(nodes, numbers)) lines.push(`  ${from} --> ${to}`);
  return `${lines.join('\n')}\n`;
}

/** A Graphviz digraph, operands above users. */
export function toDot(nodes: readonly Node[], captions?: Captions): string {
  const lines = ['digraph nabla {', '  node [shape=box, fontname="monospace"];'];
  const numbers = numberNodes(nodes, 'n');
  nodes.forEach((node, i) => {
    const text = describe(node, i, captions).map(escapeDot).join('\\n');
    const style = node.src.length === 0 ? ', style=rounded' : '';
    lines.push(`  n${i} [label="${text}"${style}];`);
  });
  for (const [from, to] of edges(nodes, numbers)) lines.push(`  ${from} -> ${to};`);
  return `${lines.join('\n')}\n}\n`;
}

function numberNodes(nodes: readonly Node[], prefix = '%'): Map<Node, string> {
  return new Map(nodes.map((node, i) => [node, `${prefix}${i}`]));
}

function edges(nodes: readonly Node[], numbers: ReadonlyMap<Node, string>): [string, string][] {
  const list: [string, string][] = [];
  for (const node of nodes) {
    for (const s of node.src) {
      const from = numbers.get(s);
      if (from !== undefined) list.push([from, numbers.get(node)!]);
    }
  }
  return list;
}

/** The lines of a box: operator, dtype and shape, caption. */
function describe(node: Node, index: number, captions: Captions | undefined): string[] {
  const title = `${node.op}${printArgument(node, ' ')}`;
  const caption = captions?.(node, index);
  const type = `${node.dtype} [${node.shape.join(', ')}]`;
  return caption === undefined ? [title, type] : [title, type, ...caption.split('\n')];
}

function printArgument(node: Node, before: string): string {
  const text = argumentText(node);
  return text === '' ? '' : before + text;
}

function argumentText(node: Node): string {
  if (node.arg === null) return '';
  if (node.op === 'leaf') {
    const { storage, version } = node.arg as OpArgs['leaf'];
    // A graph cut loose from tensors (device.ts) has leaves without a storage.
    if (storage === undefined) return '';
    return `${storage.name ?? `#${storage.id}`}@${version}${storage.requiresGrad ? ' requires grad' : ''}`;
  }
  if (node.op === 'const' || node.op === 'scalar') return String((node.arg as OpArgs['const']).value);
  if (node.op === 'custom') return (node.arg as OpArgs['custom']).name;
  if (node.op === 'reshape' || node.op === 'expand' || node.op === 'cast' || node.op === 'bitcast') return ''; // shape and dtype say it
  return Object.entries(node.arg)
    .map(([key, value]) => `${key}=${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`)
    .join(' ');
}

function escapeMermaid(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function escapeDot(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
