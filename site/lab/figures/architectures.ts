import type { run } from '../compute/architectures.js';
import source from 'source:../compute/architectures.ts';
import type { Figure, Settings } from '../frame/figure.js';
import type { Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

type Layer = FrameOf<typeof run>['layers'][number];

/** 1234567 → 1.23 M */
function count(n: number): string {
  const [power, unit] = n >= 1e9 ? [1e9, ' G'] : n >= 1e6 ? [1e6, ' M'] : n >= 1e4 ? [1e3, ' k'] : [1, ''];
  return n === 0 ? '' : `${Number((n / power).toPrecision(3))}${unit}`;
}

const colourOf = ({ module }: { readonly module: string }): string =>
  /Transpose/.test(module) ? 'class-4' : /Conv/.test(module) ? 'class-0' : /Linear/.test(module) ? 'class-1' : /Pool/.test(module) ? 'class-2' : 'class-3'; // prettier-ignore

/** Where the boxes of the last drawing stood, so that a click finds its layer. */
let edges: number[] = [];

/** Boxes: as high as the map's side (as its root), as wide as it has channels (as its logarithm), joined where U-Net hands over. */
function boxes(plot: Plot, layers: readonly Layer[], at: number, name: string): void {
  const { width, height } = plot;
  plot.begin({ x0: 0, x1: width, y0: -height / 2, y1: height / 2 });
  const thickness = layers.map(({ shape }) => 1 + Math.log2(1 + (shape[0] ?? 1)));
  const gap = Math.min(6, (0.3 * width) / layers.length);
  const scale = (width - 24 - gap * layers.length) / thickness.reduce((a, b) => a + b, 0);
  const largest = Math.max(...layers.map(({ shape }) => shape[1] ?? 1));
  let x = 12;
  edges = layers.map((layer, i) => {
    const [, side = 1] = layer.shape;
    const [w, h] = [Math.max(1.5, thickness[i]! * scale), Math.max(8, (height - 56) * Math.sqrt(side / largest))];
    plot.fill(x, -h / 2, w, h, plot.colour(colourOf(layer)));
    if (i === at) plot.frame(x - 3, -h / 2 - 3, w + 6, h + 6, plot.colour('ink'), 2);
    x += w + gap;
    return x;
  });
  if (name !== 'unet') return;
  // The last map of each size on the way down stands beside what comes from below on the way up.
  const up = layers.flatMap(({ module }, i) => (module.includes('Transpose') ? [i] : []));
  for (const i of up) {
    const side = layers[i]!.shape[1];
    const from = layers.findLastIndex(
      ({ shape }, k) => k < up[0]! && shape[1] === side && !/Pool/.test(layers[k]!.module),
    );
    const [a, b] = [edges[from]! - gap - 2, edges[i]! + 2];
    const y = height / 2 - 10 - 8 * up.indexOf(i);
    const foot = ((height - 56) * Math.sqrt(side! / largest)) / 2;
    plot.line([[a, foot], [a, y], [b, y], [b, foot]], plot.colour('muted'), { width: 1.5, dash: [4, 3] }); // prettier-ignore
  }
}

/** The layers around the chosen one, in words. */
function table(plot: Plot, layers: readonly Layer[], at: number): void {
  const { width, height } = plot;
  plot.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
  const isNarrow = width < 520;
  const columns = isNarrow ? [0.06, 0.64, 0.82, 0.99] : [0.05, 0.66, 0.83, 0.985];
  const muted = plot.colour('muted');
  const lines = Math.floor((height - 26) / 21);
  const first = Math.max(0, Math.min(layers.length - lines, at - Math.floor(lines / 2)));
  ['layer', 'output', 'parameters', 'mult-adds'].forEach((word, i) =>
    plot.text(isNarrow ? ['layer', 'output', 'params', 'm-adds'][i]! : word, columns[i]! * width, -14, { colour: muted, align: i === 0 ? 'left' : 'right' }),
  ); // prettier-ignore
  layers.slice(first, first + lines).forEach((layer, row) => {
    const y = -26 - 21 * (row + 0.5);
    if (first + row === at) plot.fill(4, y - 10, width - 8, 20, plot.colour('rule'));
    plot.fill(10, y - 5, 10, 10, plot.colour(colourOf(layer)));
    const most = Math.floor(((isNarrow ? 0.36 : 0.46) * width) / 6.6);
    const words = isNarrow ? layer.module.split('(')[0]! : `${layer.path}: ${layer.module}`;
    plot.text(words.length > most ? `${words.slice(0, most)}…` : words, columns[0]! * width + 6, y);
    const cells = [layer.shape.join(' × '), count(layer.parameters), count(layer.multiplyAdds)];
    cells.forEach((cell, i) => plot.text(cell, columns[i + 1]! * width, y, { align: 'right' }));
  });
}

export const architectures: Figure<FrameOf<typeof run>> = {
  name: 'architectures',
  title: 'Architectures, layer by layer',
  text: `<p>Each box is a layer's output: as high as the map, as thick as it has channels. The map shrinks and the channels grow. Click a box for its numbers. The bars tell
    where the weights are and where the work is: in AlexNet and VGG nearly all weights sit in the first linear layer and nearly all the work in the convolutions; ResNet
    and its successors have no such layer at all. U-Net's dashed lines hand the maps from the way down to the way up. Choose <i>your own</i> and write a network.</p>`,
  formula:
    '\\#\\text{weights}=C_{\\text{out}}\\,(C_{\\text{in}}\\,k^2+1),\\qquad \\#\\text{multiply-adds}=C_{\\text{out}}\\,H_{\\text{out}}\\,W_{\\text{out}}\\,C_{\\text{in}}\\,k^2',
  source,
  controls: {
    model: {
      kind: 'choice',
      label: 'Network',
      value: 'vgg16',
      options: {
        lenet: 'LeNet-5, 1998',
        alexnet: 'AlexNet, 2012',
        vgg16: 'VGG-16, 2014',
        googlenet: 'GoogLeNet, 2014',
        resnet18: 'ResNet-18, 2015',
        resnet50: 'ResNet-50, 2015',
        unet: 'U-Net, 2015',
        densenet: 'DenseNet-121, 2016',
        squeezenet: 'SqueezeNet, 2016',
        mobilenet: 'MobileNetV2, 2018',
        efficientnet: 'EfficientNet-B0, 2019',
        own: 'Your own, below',
      },
    },
    own: {
      kind: 'text',
      label: 'Your own network',
      long: true,
      value: 'conv 16 3; relu; pool 2; conv 32 3; relu; pool 2; flatten; linear 64; relu; linear 10',
    },
    size: { kind: 'range', label: 'Side of its pictures', value: 32, min: 8, max: 256, step: 8 },
    layer: { kind: 'range', label: 'Layer', value: 1, min: 1, max: 300, step: 1 },
  },
  views: [
    {
      name: 'boxes',
      label: 'Convolutions blue, transposed ones pink, pooling green, linear orange, others violet',
      wide: true,
      aspect: 0.36,
      least: 140,
    },
    {
      name: 'bars',
      label: 'Parameters (up) and multiply-adds (down) of each layer',
      wide: true,
      aspect: 0.22,
      least: 130,
    },
    { name: 'table', label: 'The layers around the chosen one', wide: true, aspect: 0.42, least: 240 },
  ],
  point(view, x): Settings {
    if (view !== 'boxes') return {};
    const found = edges.findIndex((edge) => x < edge);
    return found < 0 ? {} : { layer: found + 1 };
  },
  draw({ boxes: drawing, bars, table: words }, { layers, at, name }) {
    boxes(drawing!, layers, at, name);
    const { width, height } = bars!;
    bars!.begin({ x0: 0, x1: width, y0: -1.1, y1: 1.1 });
    const most = [Math.max(...layers.map((l) => l.parameters), 1), Math.max(...layers.map((l) => l.multiplyAdds), 1)];
    const slot = (width - 24) / layers.length;
    layers.forEach((layer, i) => {
      const x = 12 + i * slot;
      const [up, down] = [layer.parameters / most[0]!, layer.multiplyAdds / most[1]!];
      bars!.fill(x, 0.02, Math.max(1, slot * 0.8), up, bars!.colour('class-1'));
      bars!.fill(x, -0.02 - down, Math.max(1, slot * 0.8), down, bars!.colour('class-0'));
      if (i === at) bars!.frame(x - 2, -1.08, Math.max(3, slot * 0.8) + 4, 2.16, bars!.colour('muted'), 1);
    });
    bars!.text(`most weights in a layer: ${count(most[0]!)}`, 16, 1.1 - 24 / height, { colour: bars!.colour('class-1') }); // prettier-ignore
    bars!.text(`most multiply-adds: ${count(most[1]!)}`, width - 12, -1.1 + 24 / height, { align: 'right', colour: bars!.colour('class-0') }); // prettier-ignore
    table(words!, layers, at);
  },
};
