import type { run } from '../compute/field.js';
import source from 'source:../compute/field.ts';
import type { Figure } from '../frame/figure.js';
import { upright } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const field: Figure<FrameOf<typeof run>> = {
  name: 'field',
  title: 'The receptive field grows layer by layer',
  text: `<p>A unit of the first layer sees as many pixels as its kernel has. A unit of the next sees several of those, and what they see. Strides and pooling make the steps between units larger,
    so that every later kernel reaches further; dilation spreads the kernel itself. The picture shows how much each pixel matters to the unit in the middle, by its gradient with all weights alike: the edge of the
    field counts little, for few ways lead there. Three layers of 3×3 see as much as one of 7×7, with fewer weights.</p>`,
  formula: 'r_l=r_{l-1}+(k_l-1)\\,d_l\\,j_{l-1},\\qquad j_l=j_{l-1}\\,s_l,\\qquad r_0=j_0=1',
  source,
  pace: 900,
  controls: {
    layers: {
      kind: 'text',
      label: 'Layers: kernel, stride, dilation',
      value: 'conv 3; conv 3; pool 2; conv 3; conv 3; pool 2; conv 3',
    },
    layer: { kind: 'range', label: 'Layer (9: one after the other)', value: 9, min: 1, max: 9, step: 1 },
  },
  views: [
    { name: 'picture', label: 'The pixels that the unit sees, and how much each matters; framed: its field' },
    { name: 'cut', label: 'A cut through the layers: units that the one at the top depends on' },
  ],
  draw({ picture, cut }, { weights, side, from, to, layers, sees, depth }) {
    const most = weights.reduce((m, w) => Math.max(m, w), 1e-9);
    picture!.begin({ x0: 0, x1: side, y0: -side, y1: 0 }, { inset: 6 });
    picture!.heat(upright(weights, side, side), side, side, {
      scale: (w) => (w > 0 ? 0.12 + 0.88 * (w / most) : 0),
      strength: 1,
      smooth: false,
    });
    picture!.frame(0, -side, side, side, picture!.colour('rule'), 1);
    picture!.frame(from, -to - 1, to - from + 1, to - from + 1, picture!.colour('ink'), 2);

    // Rows of units from the picture up to the layer; the unit above takes `kernel` of those below it.
    const { width, height } = cut!;
    cut!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    let needed = [0];
    const rows: number[][] = [needed];
    for (const { kernel, stride, dilation } of layers.slice(0, depth).toReversed()) {
      const below = new Set(
        needed.flatMap((unit) => Array.from({ length: kernel }, (_, k) => unit * stride + k * dilation)),
      );
      rows.unshift((needed = [...below].toSorted((a, b) => a - b)));
    }
    const pixels = sees[depth]!.field;
    const unit = Math.min(26, (width - 92) / pixels);
    const line = Math.min(64, (height - 40) / depth);
    const base = (height - line * depth) / 2;
    // The middle of a unit: as far right as the middle of what it sees.
    const x = (row: number, i: number): number =>
      width / 2 + 38 + unit * (i * sees[row]!.jump + (sees[row]!.field - 1) / 2 - (pixels - 1) / 2);
    const y = (row: number): number => -height + base + row * line;
    for (let row = 1; row <= depth; row++) {
      const { kernel, stride, dilation } = layers[row - 1]!;
      for (const i of rows[row]!)
        for (let k = 0; k < kernel; k++)
          cut!.line([[x(row, i), y(row)], [x(row - 1, i * stride + k * dilation), y(row - 1)]], cut!.colour('rule'), { width: 1 }); // prettier-ignore
    }
    rows.forEach((units, row) => {
      const words = row === 0 ? 'pixels' : `${layers[row - 1]!.name} ${layers[row - 1]!.kernel}`;
      cut!.text(`${words}: ${sees[row]!.field}`, 8, y(row), { colour: cut!.colour(row === depth ? 'ink' : 'muted') });
      const radius = Math.max(1.5, Math.min(6, 0.36 * unit * (row === 0 ? 1 : 1.3)));
      for (const i of units) cut!.dot(x(row, i), y(row), cut!.colour(row === 0 ? 'class-1' : 'class-0'), { radius });
    });
  },
};
