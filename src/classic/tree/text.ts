// A tree as indented text.

import { ArgumentError, checkList } from '../../tensor/library.js';
import type { Tree } from './grow.js';

export function treeText(
  op: string,
  tree: Tree,
  features: number,
  names: readonly string[] | undefined,
  nameOf: (value: number[]) => string,
): string {
  if (names !== undefined) checkList(op, 'the argument', names, 'names of features');
  if (names !== undefined && names.length !== features)
    throw new ArgumentError(`${op}: there are ${names.length} names for ${features} features. Give one for each.`);
  const { value } = tree;
  const lines: string[] = [];
  const waiting = [{ node: 0, indent: 0, before: '' }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, indent, before } = next;
    const start = `${'|   '.repeat(indent)}${before}`;
    if (tree.feature[node] < 0) {
      const own = Array.from(value.data.subarray(node * value.columns, (node + 1) * value.columns));
      lines.push(`${start}${nameOf(own)} (${tree.samples[node]})`);
      continue;
    }
    const name = names?.[tree.feature[node]] ?? `x${tree.feature[node]}`;
    const limit = Number(tree.threshold[node].toPrecision(6));
    if (before !== '') lines.push(start.trimEnd());
    const deeper = before === '' ? indent : indent + 1;
    waiting.push({ node: tree.right[node], indent: deeper, before: `${name} > ${limit}: ` });
    waiting.push({ node: tree.left[node], indent: deeper, before: `${name} <= ${limit}: ` });
  }
  return lines.join('\n');
}
