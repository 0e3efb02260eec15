import type { run } from '../compute/architectures.js';
import source from 'source:../compute/architectures.ts';
import type { Figure, Settings } from '../frame/figure.js';
import type { Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

type Shown = FrameOf<typeof run>;
type Layer = Shown['layers'][number];

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

/** How an operator is written in a drawing: 3×3 conv, stride 2. */
function nameOf({ module, path }: Layer): string {
  if (path.endsWith('.fc1')) return 'squeeze: average, 1×1';
  if (path.endsWith('.fc2')) return 'excite: 1×1, then ×';
  const [kind = '', all = ''] = module.split('(');
  const numbers = all
    .replace(/\{.*/, '')
    .split(',')
    .map((text) => Number.parseInt(text, 10));
  const option = (name: string): number => Number(new RegExp(`${name}: (\\d+)`).exec(module)?.[1] ?? 1);
  const side = (k: number): string => `${k}×${k}`;
  const stride = option('stride') > 1 ? ` / ${option('stride')}` : '';
  if (kind.startsWith('ConvTranspose')) return `${side(numbers[2] ?? 1)} up-conv${stride}`;
  if (kind.startsWith('Conv'))
    return `${side(numbers[2] ?? 1)} ${option('groups') > 1 ? 'depthwise' : 'conv'}${stride}`;
  if (kind.startsWith('MaxPool')) return `${side(numbers[0] ?? 2)} max pool${option('stride') > 1 ? stride : ''}`;
  if (kind.startsWith('AdaptiveAvg')) return 'global average';
  if (kind.startsWith('AvgPool')) return `${side(numbers[0] ?? 2)} average`;
  if (kind.startsWith('BatchNorm')) return 'batch norm';
  return kind.toLowerCase();
}

const by = (shape: readonly number[]): string => shape.join('×');
/** Words of a unit: what papers call it. */
const TITLES: Readonly<Record<string, string>> = {
  BasicBlock: 'residual block',
  Bottleneck: 'bottleneck',
  DenseBlock: 'dense block',
  DenseLayer: 'dense layer',
  MobileNetV2Block: 'inverted residual',
  MBConv: 'MBConv',
};

/** Where the cards of the last drawings stood: a click finds their layer. */
const cards: Record<'units' | 'inside', { x0: number; x1: number; y0: number; y1: number; layer: number }[]> = {
  units: [],
  inside: [],
};

const fontOf = (isTitle: boolean, size: number): string => `${isTitle ? 600 : 400} ${size}px system-ui, sans-serif`;

/** A card with lines of words; as many of them as it has room for. */
function card(
  plot: Plot,
  { x, y, w, h }: { readonly x: number; readonly y: number; readonly w: number; readonly h: number },
  words: readonly string[],
  colour: string,
  isChosen: boolean,
): void {
  plot.fill(x, -y - h, w, h, plot.colour('page'));
  plot.fill(x, -y - h, 4, h, plot.colour(colour));
  plot.frame(x, -y - h, w, h, plot.colour(isChosen ? 'accent' : 'rule'), isChosen ? 2.5 : 1);
  const line = 14.5;
  const shown = words.slice(0, Math.max(1, Math.floor((h - 6) / line)));
  shown.forEach((text, i) => {
    const ink = plot.colour(i === 0 ? 'ink' : 'muted');
    plot.context.font = fontOf(i === 0, 11.5);
    // Smaller letters rather than half a word.
    const room = (w - 12) / plot.context.measureText(text).width;
    if (room < 1) plot.context.font = fontOf(i === 0, Math.max(9, 11.5 * room));
    plot.fitted(text, x + 9, -(y + h / 2 + (i - (shown.length - 1) / 2) * line), w - 12, ink);
  });
}

/** The whole network as cards in rows, each a layer or a block, read like a text. */
function wholeNetwork(plot: Plot, { layers, units, unit: chosen }: Shown): void {
  const { width, height } = plot;
  plot.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
  const [gap, inset] = [width < 500 ? 8 : 14, 8];
  const most = Math.floor((width - 2 * inset + gap) / (width < 500 ? 108 : 112));
  const columns = Math.min(most, Math.max(width < 500 ? 3 : 5, Math.ceil(units.length / Math.floor(height / 72))));
  const rows = Math.ceil(units.length / columns);
  const w = (width - 2 * inset + gap) / columns - gap;
  const h = Math.min(70, (height - 2 * inset + gap) / rows - gap);
  cards.units = units.map(({ name, layers: own }, i) => {
    const [x, y] = [inset + (i % columns) * (w + gap), inset + Math.floor(i / columns) * (h + gap)];
    const parts = own.map((k) => layers[k]!);
    const shape = outputOf(name, parts);
    const sum = (what: 'parameters' | 'multiplyAdds'): number => parts.reduce((all, part) => all + part[what], 0);
    const title = parts.length === 1 || !/[a-z][A-Z]|Inception|Fire/.test(name) || TITLES[name] === undefined ? (TITLES[name] ?? (/^(Inception|Fire)/.test(name) ? name : nameOf(parts[0]!))) : TITLES[name]!; // prettier-ignore
    const [p, m] = [count(sum('parameters')), count(sum('multiplyAdds'))];
    const isRoomy = w > 165;
    card(plot, { x, y, w, h }, [title, by(shape), ...(isRoomy ? [[p && `${p} par`, m && `${m} m-a`].filter(Boolean).join(' · ')] : [p && `${p} par`, m && `${m} m-a`])].filter(Boolean), colourOf(mainOf(parts)), i === chosen); // prettier-ignore
    if (i + 1 < units.length) {
      const isEnd = (i + 1) % columns === 0;
      if (!isEnd) arrow(plot, [x + w, y + h / 2], [x + w + gap, y + h / 2]);
      else plot.line([[x + w / 2, -(y + h)], [x + w / 2, -(y + h + gap / 2)], [inset + w / 2, -(y + h + gap / 2)], [inset + w / 2, -(y + h + gap)]], plot.colour('muted'), { width: 1.2 }); // prettier-ignore
    }
    return { x0: x, x1: x + w, y0: y, y1: y + h, layer: own[0]! };
  });
}

/** The layer that gives a card its colour: the first that computes. */
const mainOf = (parts: readonly Layer[]): Layer => parts.find(({ multiplyAdds }) => multiplyAdds > 0) ?? parts[0]!;

/** What leaves a unit: of an Inception or Fire block, and of a dense one, the maps of several layers behind each other. */
function outputOf(name: string, parts: readonly Layer[]): readonly number[] {
  const last = parts.at(-1)!;
  const [, height, width] = last.shape;
  const channels = (all: readonly Layer[]): number => all.reduce((sum, { shape }) => sum + shape[0]!, 0);
  if (name === 'Fire') return [channels(parts.filter(({ path }) => /expand\dx\d$/.test(path))), height!, width!];
  if (name === 'Inception') return [channels(lastOfBranches(parts)), height!, width!];
  if (name === 'DenseBlock') return [Number(/\((\d+)/.exec(parts[0]!.module)?.[1]) + channels(parts.filter(({ path }) => path.endsWith('conv2'))), height!, width!]; // prettier-ignore
  return last.shape;
}

const branchOf = ({ path }: Layer): string => /branch\d+/.exec(path)?.[0] ?? '';
const lastOfBranches = (parts: readonly Layer[]): Layer[] =>
  parts.filter((part, i) => branchOf(part) !== branchOf(parts[i + 1] ?? { ...part, path: '' }));

function arrow(plot: Plot, [x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number]): void {
  const colour = plot.colour('muted');
  plot.line([[x0, -y0], [x1, -y1]], colour, { width: 1.2 }); // prettier-ignore
  const angle = Math.atan2(y1 - y0, x1 - x0);
  const tip = (turn: number): [number, number] => [x1 - 5 * Math.cos(angle + turn), -(y1 - 5 * Math.sin(angle + turn))];
  plot.line([tip(0.5), [x1, -y1], tip(-0.5)], colour, { width: 1.2 });
}

/** What a layer that stands alone does, in two lines. */
function meaningOf({ module, shape }: Layer): string[] {
  // Behind the bracket: the 2 of Conv2d is none of them.
  const numbers = (module.slice(module.indexOf('(')).match(/\d+/g) ?? []).map(Number);
  const [inputs = 0, outputs = 0, k = 1] = numbers;
  const groups = Number(/groups: (\d+)/.exec(module)?.[1] ?? 1);
  if (module.startsWith('Linear'))
    return [`${outputs} sums, each of all ${inputs} numbers`, `with ${inputs} weights of its own`];
  if (module.startsWith('ConvTranspose'))
    return [`each number of ${inputs} maps is spread over ${k} × ${k} places`, `of ${outputs} larger maps`];
  if (module.startsWith('Conv'))
    return [
      `${outputs} kernels of ${inputs / groups} × ${k} × ${k} weights,`,
      `each used at ${by(shape.slice(1))} places`,
    ];
  if (module.startsWith('MaxPool')) return [`the largest of each ${inputs} × ${inputs} window;`, 'no weights'];
  if (/^(Adaptive)?Avg/.test(module)) return ['the mean of each window;', 'no weights'];
  return [];
}

/** The chosen unit from above to below: its branches side by side, what goes past them, and how they are joined. */
function insideOf(plot: Plot, { layers, inside, units, unit, at, input }: Shown): void {
  const { width, height } = plot;
  plot.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
  const { name, layers: own } = inside;
  const before = own[0]! > 0 ? (units[unit]!.layers[0] === own[0] && unit > 0 ? outputOf(units[unit - 1]!.name, units[unit - 1]!.layers.map((i) => layers[i]!)) : [Number(/\((\d+)/.exec(layers[own[0]!]!.module)?.[1]), ...layers[own[0]!]!.shape.slice(1)]) : input; // prettier-ignore
  const isDrawn = (i: number): boolean => own.length === 1 || !layers[i]!.module.startsWith('BatchNorm');
  const shown = own.filter(isDrawn);
  const key = (i: number): string => {
    const { path } = layers[i]!;
    if (name === 'Inception') return branchOf(layers[i]!);
    if (name === 'Fire') return path.split('.').at(-1)!;
    return path.includes('downsample') ? 'skip' : '';
  };
  const stem = name === 'Fire' ? shown.slice(0, 1) : [];
  const lanesOf = new Map<string, number[]>();
  for (const i of shown.slice(stem.length)) lanesOf.set(key(i), [...(lanesOf.get(key(i)) ?? []), i]);
  const branches = [...lanesOf.values()];
  const after = outputOf(
    name,
    own.map((i) => layers[i]!),
  );
  const isResidual = /^(BasicBlock|Bottleneck|MobileNetV2Block|MBConv)/.test(name);
  const hasSkip = name === 'DenseLayer' || (isResidual && branches.length === 1 && by(before) === by(after));
  const join = name === 'DenseLayer' || branches.length > 1 && !isResidual ? 'concatenate' : hasSkip || branches.length > 1 ? 'add' : ''; // prettier-ignore
  const joined = name === 'DenseLayer' ? [before[0]! + after[0]!, ...after.slice(1)] : after;

  const depth = Math.max(...branches.map((one) => one.length)) + stem.length;
  const [foot, gap] = [join ? 44 : 12, Math.max(14, Math.min(30, (height - 74) / depth - 66))];
  const h = Math.min(66, (height - 30 - foot) / depth - gap);
  const top = Math.max(30, (height - depth * (h + gap) - foot + gap) / 2);
  const lanes = branches.length + (hasSkip ? 0.5 : 0);
  const w = Math.min(190, (width - 24) / lanes - 12);
  const step = Math.min((width - 24) / lanes, w + 60);
  const middle = width / 2 - (hasSkip ? w / 4 : 0);
  const x = (lane: number): number => middle + (lane - (branches.length - 1) / 2) * step;
  const words = (i: number): string[] => {
    const { shape, parameters, multiplyAdds } = layers[i]!;
    const costs = [parameters && `${count(parameters)} par`, multiplyAdds && `${count(multiplyAdds)} m-a`].filter((text) => typeof text === 'string'); // prettier-ignore
    return [nameOf(layers[i]!), by(shape), ...(w > 165 ? [costs.join(' · ')] : costs)].filter(Boolean);
  };
  plot.context.font = '12px system-ui, sans-serif';
  const title = `${TITLES[name] ?? name} ${inside.path}`;
  plot.text(title, 10, -12, { colour: plot.colour('ink') });
  const origin: [number, number] = [middle, top - 8];
  plot.text(by(before), middle + 8, -(top - 14), { colour: plot.colour('muted') });
  cards.inside = [];
  const place = (i: number, cx: number, row: number): void => {
    const y = top + 8 + row * (h + gap);
    card(plot, { x: cx - w / 2, y, w, h }, words(i), colourOf(layers[i]!), i === at);
    cards.inside.push({ x0: cx - w / 2, x1: cx + w / 2, y0: y, y1: y + h, layer: i });
  };
  const rowTop = (row: number): number => top + 8 + row * (h + gap);
  let from = origin;
  stem.forEach((i, row) => {
    arrow(plot, from, [middle, rowTop(row)]);
    place(i, middle, row);
    from = [middle, rowTop(row) + h];
  });
  const end: [number, number] = [middle, rowTop(depth) + 10];
  const muted = plot.colour('muted');
  branches.forEach((branch, lane) => {
    let last = from;
    branch.forEach((i, k) => {
      const to = rowTop(stem.length + k);
      if (k === 0) plot.line([[last[0], -last[1]], [last[0], -(to - 8)], [x(lane), -(to - 8)]], muted, { width: 1.2 }); // prettier-ignore
      arrow(plot, k === 0 ? [x(lane), to - 8] : last, [x(lane), to]);
      place(i, x(lane), stem.length + k);
      last = [x(lane), rowTop(stem.length + k) + h];
    });
    if (!join) return;
    plot.line([[last[0], -last[1]], [last[0], -(end[1] - 9)], [middle, -(end[1] - 9)]], muted, { width: 1.2 }); // prettier-ignore
    arrow(plot, [middle, end[1] - 9], end);
  });
  if (hasSkip) {
    const side = middle + w / 2 + 22;
    plot.line([[middle, -from[1]], [side, -from[1]], [side, -(end[1] - 9)], [middle, -(end[1] - 9)]], plot.colour('muted'), { width: 1.5, dash: [5, 4] }); // prettier-ignore
    plot.text('past it', side + 6, -(from[1] + end[1]) / 2, { colour: plot.colour('muted') });
  }
  if (own.length === 1) {
    const words = meaningOf(layers[own[0]!]!);
    words.forEach((line, i) => plot.text(line, middle, -(end[1] + 4 + 18 * i), { align: 'center', colour: muted }));
  }
  if (join) plot.badge(`${join}: ${by(joined)}`, middle, -(end[1] + 10), plot.colour('ink'));
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
  text: `<p>Each box is a layer's output: as high as the map, as thick as it has channels. The map shrinks and the channels grow. Below stands the network as a paper draws it, block
    by block; a click opens a block with its branches, and what goes past them. The bars tell
    where the weights are and where the work is: in AlexNet and VGG nearly all weights sit in the first linear layer and nearly all the work in the convolutions; ResNet
    and its successors have no such layer at all. U-Net's dashed lines hand the maps from the way down to the way up. Choose <i>your own</i> and put a network together:
    drag blocks, or add and move them with the keyboard.</p>`,
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
      kind: 'blocks',
      label: 'Your own network',
      besides: { model: 'own', layer: 1 },
      palette: {
        conv: { label: 'Conv', numbers: { channels: 16, kernel: 3, stride: 1 } },
        depthwise: { label: 'Depthwise', numbers: { kernel: 3, stride: 1 } },
        norm: { label: 'Batch norm', numbers: {} },
        relu: { label: 'ReLU', numbers: {} },
        pool: { label: 'Max pool', numbers: { window: 2 } },
        avg: { label: 'Average pool', numbers: { window: 2 } },
        global: { label: 'Global average', numbers: {} },
        dropout: { label: 'Dropout', numbers: {} },
        flatten: { label: 'Flatten', numbers: {} },
        linear: { label: 'Linear', numbers: { features: 10 } },
      },
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
      name: 'units',
      label: 'The network, read like a text: what each block gives, its parameters (par) and multiply-adds (m-a)',
      wide: true,
      aspect: 0.42,
      least: 330,
      tall: 600,
    },
    { name: 'inside', label: 'The chosen block from above to below', wide: true, aspect: 0.5, least: 340, tall: 460 },
    {
      name: 'bars',
      label: 'Parameters (up) and multiply-adds (down) of each layer',
      wide: true,
      aspect: 0.22,
      least: 130,
    },
    { name: 'table', label: 'The layers around the chosen one', wide: true, aspect: 0.42, least: 240 },
  ],
  point(view, x, y): Settings {
    if (view === 'units' || view === 'inside') {
      const found = cards[view].find(({ x0, x1, y0, y1 }) => x >= x0 && x <= x1 && -y >= y0 && -y <= y1);
      return found ? { layer: found.layer + 1 } : {};
    }
    if (view !== 'boxes') return {};
    const found = edges.findIndex((edge) => x < edge);
    return found < 0 ? {} : { layer: found + 1 };
  },
  draw({ boxes: drawing, units, inside, bars, table: words }, frame) {
    const { layers, at, name } = frame;
    boxes(drawing!, layers, at, name);
    wholeNetwork(units!, frame);
    insideOf(inside!, frame);
    const { width } = bars!;
    bars!.begin({ x0: 0, x1: width, y0: -1.36, y1: 1.36 });
    const most = [Math.max(...layers.map((l) => l.parameters), 1), Math.max(...layers.map((l) => l.multiplyAdds), 1)];
    const slot = (width - 24) / layers.length;
    layers.forEach((layer, i) => {
      const x = 12 + i * slot;
      const [up, down] = [layer.parameters / most[0]!, layer.multiplyAdds / most[1]!];
      bars!.fill(x, 0.02, Math.max(1, slot * 0.8), up, bars!.colour('class-1'));
      bars!.fill(x, -0.02 - down, Math.max(1, slot * 0.8), down, bars!.colour('class-0'));
      if (i === at) bars!.frame(x - 2, -1.08, Math.max(3, slot * 0.8) + 4, 2.16, bars!.colour('muted'), 1);
    });
    bars!.text(`most weights in a layer: ${count(most[0]!)}`, 16, 1.2, { colour: bars!.colour('class-1') }); // prettier-ignore
    bars!.text(`most multiply-adds: ${count(most[1]!)}`, width - 12, -1.2, { align: 'right', colour: bars!.colour('class-0') }); // prettier-ignore
    table(words!, layers, at);
  },
};
