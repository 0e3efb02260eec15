import type { run } from '../compute/messages.js';
import source from 'source:../compute/messages.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { extent } from '../frame/marks.js';
import type { Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

let last: Float32Array = new Float32Array();

function begin(plot: Plot, { places, edges }: FrameOf<typeof run>, strength: (i: number, j: number) => number): void {
  const [x0, x1] = extent(places.filter((_, i) => i % 2 === 0));
  const [y0, y1] = extent(places.filter((_, i) => i % 2 === 1));
  plot.begin({ x0, x1, y0, y1 }, { inset: 18 });
  const count = edges.length / 2;
  for (let e = 0; e < count; e++) {
    const [i, j] = [edges[e]!, edges[count + e]!];
    if (i > j) continue;
    const line = [[places[2 * i]!, places[2 * i + 1]!], [places[2 * j]!, places[2 * j + 1]!]] as const; // prettier-ignore
    const share = strength(i, j);
    plot.line(line, plot.colour(share > 0 ? 'class-1' : 'rule'), { width: 1 + 3 * share });
  }
}

export const messages: Figure<FrameOf<typeof run>> = {
  name: 'messages',
  title: 'Messages on a graph',
  text: `<p>Nodes know little, and neighbours are mostly alike. In each layer of a graph network every node takes the mean of its neighbours' messages and its own; the order of the
    neighbours does not matter. On the left a network learns three classes from the few nodes with a ring; a node's edge is its true class. On the right, the message of one
    node (click another) after as many rounds as there are layers. With many layers every node hears everybody, all become alike, and the classes melt: <i>over-smoothing</i>.</p>`,
  formula:
    'h_i^{(l+1)}=\\operatorname{ReLU}\\Bigl(W^{(l)}\\sum_{j\\in N(i)\\cup\\{i\\}}\\frac{h_j^{(l)}}{\\sqrt{(d_i+1)(d_j+1)}}\\Bigr)',
  source,
  controls: {
    layers: { kind: 'range', label: 'Layers', value: 2, min: 1, max: 8, step: 1 },
    labelled: { kind: 'range', label: 'Labelled nodes of each class', value: 3, min: 1, max: 12, step: 1 },
    inside: { kind: 'range', label: 'Neighbours of one’s own class', value: 0.9, min: 0.3, max: 1, step: 0.05 },
    node: { kind: 'range', label: 'Node whose message is followed', value: 7, min: 0, max: 59, step: 1 },
    steps: { kind: 'range', label: 'Stops after steps', value: 150, min: 2, max: 1000, step: 2 },
    seed: { kind: 'range', label: 'Seed', value: 2, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'classes', label: 'What the network says (inside) and what is true (edge); large: labelled' },
    { name: 'message', label: 'How much of one node’s message each node has' },
  ],
  point(_view, x, y): Settings {
    const count = last.length / 2;
    let best = 0;
    for (let i = 1; i < count; i++)
      if (Math.hypot(last[2 * i]! - x, last[2 * i + 1]! - y) < Math.hypot(last[2 * best]! - x, last[2 * best + 1]! - y))
        best = i;
    return { node: best };
  },
  draw({ classes, message }, frame) {
    const { places, said, y, isTrain, reached, node } = frame;
    last = places;
    begin(classes!, frame, () => 0);
    said.forEach(({ class: predicted, sure }, i) => {
      const [px, py] = [places[2 * i]!, places[2 * i + 1]!];
      const radius = isTrain[i] ? 10 : 6.5;
      classes!.dot(px, py, classes!.colour(`class-${y[i]}`), { radius: radius + 2.5 });
      classes!.dot(px, py, classes!.colour('canvas'), { radius });
      classes!.context.globalAlpha = Math.max(0.15, (sure - 0.3) / 0.7);
      classes!.dot(px, py, classes!.colour(`class-${predicted}`), { radius });
      classes!.context.globalAlpha = 1;
    });
    const most = Math.max(...reached);
    const share = (i: number): number => Math.sqrt(reached[i]! / most);
    begin(message!, frame, (i, j) => Math.min(share(i), share(j)));
    said.forEach((_, i) => {
      const [px, py] = [places[2 * i]!, places[2 * i + 1]!];
      message!.dot(px, py, message!.colour(i === node ? 'ink' : 'muted'), { radius: i === node ? 10 : 6.5 });
      message!.dot(px, py, message!.colour('canvas'), { radius: i === node ? 8 : 5.5 });
      message!.context.globalAlpha = share(i);
      message!.dot(px, py, message!.colour('class-1'), { radius: i === node ? 8 : 5.5 });
      message!.context.globalAlpha = 1;
    });
  },
};
