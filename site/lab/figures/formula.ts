import type { run } from '../compute/formula.js';
import source from 'source:../compute/formula.ts';
import type { Figure } from '../frame/figure.js';
import { short } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

type Node = FrameOf<typeof run>['nodes'][number];

/** A place for each node: columns by the longest way from the leaves, within a column beside what it is computed from. */
function layout(nodes: readonly Node[]): { x: number; y: number }[] {
  const depth: number[] = [];
  for (const { operands } of nodes) depth.push(Math.max(0, ...operands.map((i) => depth[i]! + 1)));
  const last = Math.max(1, ...depth);
  const places: { x: number; y: number }[] = nodes.map(() => ({ x: 0, y: 0 }));
  for (let column = 0; column <= last; column++) {
    const here = nodes.flatMap((_, i) => (depth[i] === column ? [i] : []));
    const wish = (i: number): number => {
      const { operands } = nodes[i]!;
      return operands.length === 0 ? i : operands.reduce((sum, o) => sum + places[o]!.y, 0) / operands.length;
    };
    if (column > 0) here.sort((a, b) => wish(a) - wish(b));
    here.forEach((i, k) => (places[i] = { x: (column + 0.5) / (last + 1), y: (k + 1) / (here.length + 1) }));
  }
  return places;
}

export const formula: Figure<FrameOf<typeof run>> = {
  name: 'formula',
  title: 'A formula forward and backward',
  text: `<p>Type a formula and numbers. Forward, each node computes its value (above, blue) from those before it. Backward, each node multiplies the gradient that
    reaches it (below, orange) with its own derivative and hands the product to its operands; where several paths meet, gradients add up. The small number at an edge is
    that local derivative. The <i>gradient check</i> moves each variable a little to both sides and compares: (f(x + h) − f(x − h)) / 2h needs no rule at all, and is off only at a kink, as of relu at 0. Press <i>Step</i> to go node by node.</p>`,
  formula:
    '\\frac{\\partial f}{\\partial a}=\\sum_{n\\,:\\,a\\to n}\\frac{\\partial f}{\\partial n}\\cdot\\frac{\\partial n}{\\partial a}',
  source,
  pace: 450,
  controls: {
    formula: { kind: 'text', label: 'Formula', value: '(x + y) * z' },
    values: { kind: 'text', label: 'Values', value: 'x = 1, y = -3, z = 4' },
  },
  views: [
    {
      name: 'graph',
      label: 'The computational graph: values in blue, gradients of the result in orange',
      wide: true,
      aspect: 0.56,
    },
  ],
  draw({ graph }, { nodes, forward, backward }) {
    graph!.begin({ x0: 0, x1: 1, y0: 1, y1: 0 }, { inset: 8 });
    const places = layout(nodes);
    const radius = Math.max(11, Math.min(24, (graph!.width / nodes.length) * 0.22, graph!.height / 16));
    const isBack = (i: number): boolean => i >= nodes.length - backward;
    nodes.forEach(({ operands, locals }, i) => {
      operands.forEach((operand, which) => {
        const [from, to] = [places[operand]!, places[i]!];
        const isPassed = isBack(i);
        const colour = graph!.colour(isPassed ? 'class-1' : i < forward ? 'class-0' : 'rule');
        // x ∗ x has two edges between the same nodes: they part in the middle.
        const bend = operands.length > 1 && operands[0] === operands[1] ? (which === 0 ? -0.06 : 0.06) : 0;
        const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 + bend };
        graph!.line([[from.x, from.y], [middle.x, middle.y], [to.x, to.y]], colour, { width: isPassed ? 2.2 : 1.6 }); // prettier-ignore
        if (isPassed)
          graph!.badge(
            short(Number(locals[which]!.toPrecision(4))),
            from.x + 0.7 * (middle.x - from.x),
            from.y + 0.7 * (middle.y - from.y),
            graph!.colour('muted'),
          );
      });
    });
    nodes.forEach(({ label, value, gradient }, i) => {
      const { x, y } = places[i]!;
      const isKnown = i < forward;
      const isCurrent = backward > 0 ? i === nodes.length - backward : i === forward - 1;
      graph!.dot(x, y, graph!.colour(isCurrent ? 'accent' : isKnown ? 'ink' : 'muted'), {
        radius: isCurrent ? radius + 2 : radius,
        hollow: true,
      });
      graph!.text({ '*': '×', '-': '−', neg: '−' }[label] ?? label, x, y, { align: 'center' });
      if (isKnown) graph!.beside(short(Number(value.toPrecision(4))), x, y, -radius - 11, graph!.colour('class-0'));
      if (isBack(i)) graph!.beside(short(Number(gradient.toPrecision(4))), x, y, radius + 12, graph!.colour('class-1'));
    });
  },
};
