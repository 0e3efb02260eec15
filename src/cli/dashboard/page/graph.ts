// A model's graph as graph.json or an event file has it: boxes for modules, which open when they are clicked, from the input at the top to the
// output at the bottom. Rows by the longest way from an input, places in a row by the mean of those above.

import { largest, smallest } from '../../../tensor/extremes.js';
import type { GraphData, RunDetails } from '../api.js';
import { h, svg } from './dom.js';

const [WIDTH, HEIGHT, GAP_X, GAP_Y] = [150, 38, 24, 34];
/** Boxes of a graph that opens by itself. */
const FEW = 24;

interface Box {
  readonly name: string;
  /** Of the operators in it, for a module; its operator otherwise. */
  readonly kind: string;
  readonly isGroup: boolean;
  readonly from: Set<string>;
}

export function graphView({ graph, network }: RunDetails): HTMLElement {
  if (graph === null) {
    const chain = network.map(({ name, kind }, i): GraphData[number] => ({
      name,
      op: kind,
      inputs: i === 0 ? [] : [network[i - 1].name],
    }));
    if (chain.length > 0)
      return drawing(
        chain,
        'The layers in the order of their calls. nabla train writes the graph itself, writeGraph that of any other run.',
      );
    return h('p', {
      className: 'note',
      textContent: 'There is no graph. writeGraph writes one into the folder of a run, nabla train by itself.',
    });
  }
  return drawing(graph, 'A click opens a module, or closes it.');
}

function drawing(graph: GraphData, hint: string): HTMLElement {
  const nodes = fromInputs(graph);
  const open = new Set<string>();
  const place = h('div', { className: 'wide' });
  const draw = (): void => {
    const boxes = boxesOf(nodes, open);
    place.replaceChildren(
      picture(boxes, (name) => {
        const inner = [...open].filter((other) => other === name || other.startsWith(`${name}/`));
        if (inner.length > 0) for (const other of inner) open.delete(other);
        else open.add(name);
        draw();
      }),
    );
  };
  if (nodes.length <= FEW) for (const { name } of nodes) for (const scope of scopesOf(name)) open.add(scope);
  draw();
  const all = h('button', {
    textContent: 'open all',
    onclick: () => {
      for (const { name } of nodes) for (const scope of scopesOf(name)) open.add(scope);
      draw();
    },
  });
  const none = h('button', { textContent: 'close all', onclick: () => (open.clear(), draw()) });
  return h('div', {}, h('p', { className: 'note' }, all, ' ', none, ` ${hint}`), place);
}

/** What depends on an input: parameters, and what is made of them alone, are many and say little. All of it where no input is named. */
function fromInputs(graph: GraphData): GraphData {
  const found = new Set<string>();
  for (const { name, op, inputs } of graph)
    if (op === 'Placeholder' || inputs.some((input) => found.has(sourceOf(input)))) found.add(name);
  return found.size === 0 ? graph.filter(({ op }) => op !== 'Parameter') : graph.filter(({ name }) => found.has(name));
}

/** ^a:0 → a: an order, and an output of several. */
const sourceOf = (input: string): string => input.replaceAll(/^\^|:\d+$/g, '');

/** a/b/conv → a, a/b */
function scopesOf(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

function boxesOf(nodes: GraphData, open: ReadonlySet<string>): Map<string, Box> {
  const seenAs = new Map<string, string>();
  const boxes = new Map<string, Box>();
  for (const { name, op } of nodes) {
    const closed = scopesOf(name).find((scope) => !open.has(scope));
    const shown = closed ?? name;
    seenAs.set(name, shown);
    if (!boxes.has(shown)) boxes.set(shown, { name: shown, kind: op, isGroup: closed !== undefined, from: new Set() });
  }
  for (const { name, inputs } of nodes) {
    const to = seenAs.get(name) ?? name;
    for (const input of inputs) {
      const from = seenAs.get(sourceOf(input));
      if (from !== undefined && from !== to) boxes.get(to)?.from.add(from);
    }
  }
  return boxes;
}

/** The row of each box: one more than the lowest of those before it. What goes in a circle (two modules that call each other) is cut. */
function rowsOf(boxes: ReadonlyMap<string, Box>): Map<string, number> {
  const rows = new Map<string, number>();
  const visit = (name: string, above: ReadonlySet<string>): number => {
    const known = rows.get(name);
    if (known !== undefined) return known;
    const inner = new Set([...above, name]);
    const before = [...(boxes.get(name)?.from ?? [])].filter((other) => !inner.has(other));
    const row = before.length === 0 ? 0 : 1 + largest(before.map((other) => visit(other, inner)));
    rows.set(name, row);
    return row;
  };
  // From the front, so that a long chain is not a deep recursion.
  for (const name of boxes.keys()) visit(name, new Set());
  return rows;
}

function picture(boxes: ReadonlyMap<string, Box>, toggle: (name: string) => void): SVGElement {
  const rows = rowsOf(boxes);
  const lines: string[][] = [];
  for (const [name, row] of rows) (lines[row] ??= []).push(name);
  const x = new Map<string, number>();
  for (const line of lines) {
    const wanted = new Map(
      line.map((name) => {
        const above = [...(boxes.get(name)?.from ?? [])].flatMap((other) => x.get(other) ?? []);
        return [name, above.length === 0 ? 0 : above.reduce((sum, at) => sum + at, 0) / above.length] as const;
      }),
    );
    line.sort((a, b) => wanted.get(a)! - wanted.get(b)!);
    const middle = line.reduce((sum, name) => sum + wanted.get(name)!, 0) / line.length;
    line.forEach((name, i) => x.set(name, middle + (i - (line.length - 1) / 2) * (WIDTH + GAP_X)));
  }
  const left = smallest(Array.from(x.values(), (at) => at - WIDTH / 2)) - 4;
  const right = largest(Array.from(x.values(), (at) => at + WIDTH / 2)) + 4;
  const height = lines.length * (HEIGHT + GAP_Y);
  const top = (name: string): number => rows.get(name)! * (HEIGHT + GAP_Y) + 2;
  const edges = [...boxes.values()].flatMap((box) =>
    [...box.from].map((from) => {
      const [x0, y0, x1, y1] = [x.get(from)!, top(from) + HEIGHT, x.get(box.name)!, top(box.name)];
      const bend = Math.max(GAP_Y / 2, (y1 - y0) / 3);
      return svg('path', { class: 'edge', d: `M${x0} ${y0}C${x0} ${y0 + bend} ${x1} ${y1 - bend} ${x1} ${y1}` });
    }),
  );
  const drawn = [...boxes.values()].map(({ name, kind, isGroup }) => {
    const label = name.split('/').at(-1) ?? name;
    const cut = (text: string): string => (text.length > 19 ? `${text.slice(0, 18)}…` : text);
    const scope = isGroup ? name : (scopesOf(name).at(-1) ?? '');
    const group = svg(
      'g',
      {
        class: isGroup ? 'box group' : 'box',
        transform: `translate(${x.get(name)! - WIDTH / 2} ${top(name)})`,
        ...(scope && { role: 'button', tabindex: 0, 'aria-label': `${isGroup ? 'open' : 'close'} ${scope}` }),
      },
      svg('title', {}, name),
      svg('rect', { width: WIDTH, height: HEIGHT, rx: 6 }),
      svg('text', { x: WIDTH / 2, y: isGroup || kind === label ? 23 : 16, 'text-anchor': 'middle' }, cut(label)),
      isGroup || kind === label
        ? undefined
        : svg('text', { class: 'kind', x: WIDTH / 2, y: 30, 'text-anchor': 'middle' }, cut(kind)),
    );
    if (scope) {
      group.addEventListener('click', () => toggle(scope));
      group.addEventListener('keydown', (event) => {
        if (event instanceof KeyboardEvent && (event.key === 'Enter' || event.key === ' ')) toggle(scope);
      });
    }
    return group;
  });
  return svg(
    'svg',
    { class: 'graph', width: right - left, height, viewBox: `${left} 0 ${right - left} ${height}` },
    ...edges,
    ...drawn,
  );
}
