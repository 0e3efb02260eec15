import type { run } from '../compute/playground.js';
import source from 'source:../compute/playground.ts';
import type { Figure, Settings } from '../frame/figure.js';
import type { FrameOf } from './frame-of.js';

const OWN = '-0.9 -0.9 0; 0 0 0; 0.9 0.9 0; -0.9 0.9 1; 0.9 -0.9 1; 0.2 -0.9 1';
/** How far the drawn plane reaches. */
let reachShown = 1.5;

let curve: { step: number; train: number; test: number }[] = [];

export const playground: Figure<FrameOf<typeof run>> = {
  name: 'playground',
  title: 'A network in the plane',
  text: `<p>Every neuron draws one bent line through the plane; the next layer adds such lines up. Watch the small pictures: in each, blue is where the neuron
    is low and orange where it is high. With no activation all layers together are one straight line. Filled dots are trained on, hollow ones only
    tested: where the two losses part, the network learns the noise by heart, and a penalty on the weights holds it back. Click or drag in the plane to draw points of
    your own.</p>`,
  formula:
    'h_l = \\sigma(W_l h_{l-1} + b_l),\\qquad L = -\\tfrac1n\\sum_i \\bigl[y_i\\log p_i + (1-y_i)\\log(1-p_i)\\bigr] + \\lambda\\,R(W)',
  source,
  controls: {
    data: {
      kind: 'choice',
      label: 'Data',
      value: 'circles',
      options: { circles: 'Circles', moons: 'Moons', xor: 'Exclusive or', spirals: 'Spirals', own: 'Your own, drawn' },
    },
    pen: {
      kind: 'choice',
      label: 'A click draws',
      value: '1',
      options: { 1: 'orange points', 0: 'blue points' },
      live: true,
    },
    own: { kind: 'text', label: 'Own points: x y class', value: OWN, long: true },
    hidden: { kind: 'text', label: 'Widths of hidden layers', value: '16, 16' },
    activation: {
      kind: 'choice',
      label: 'Activation',
      value: 'tanh',
      options: { tanh: 'tanh', relu: 'ReLU', sigmoid: 'Sigmoid', linear: 'None' },
    },
    optimizer: {
      kind: 'choice',
      label: 'Optimiser',
      value: 'adam',
      options: { adam: 'Adam', sgd: 'SGD, momentum 0.9' },
    },
    rate: {
      kind: 'range',
      label: 'Learning rate',
      value: 0.01,
      min: 0.0001,
      max: 1,
      step: 0.05,
      log: true,
      live: true,
    },
    penalty: {
      kind: 'choice',
      label: 'Penalty on weights',
      value: 'none',
      options: { none: 'None', l1: 'L1', l2: 'L2' },
    },
    strength: {
      kind: 'range',
      label: 'λ, its strength',
      value: 0.001,
      min: 0.00001,
      max: 0.1,
      step: 0.1,
      log: true,
      live: true,
    },
    points: { kind: 'range', label: 'Points to train on', value: 500, min: 20, max: 1000, step: 20 },
    noise: { kind: 'range', label: 'Noise', value: 0.1, min: 0, max: 0.6, step: 0.02 },
    steps: { kind: 'range', label: 'Stops after steps', value: 3000, min: 100, max: 20000, step: 100, live: true },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'plane', label: 'What the network says of every place' },
    { name: 'curves', label: 'Loss on training points (filled line) and test points (dashed)', aspect: 1 },
    { name: 'neurons', label: 'What each hidden neuron says, layer below layer', wide: true, aspect: 0.14, tall: 180 },
  ],
  point(view, x, y, { own, pen, data }): Settings {
    if (view !== 'plane') return {};
    // The first point of one's own begins with an empty plane.
    const before = data === 'own' ? String(own).split(';').filter((part) => part.trim()) : []; // prettier-ignore
    const within = (v: number): number => Math.max(-1.5, Math.min(1.5, (1.5 * v) / reachShown));
    const [px, py] = [within(x), within(y)];
    const near = (part: string): boolean => {
      const [qx = 0, qy = 0] = part.trim().split(/\s+/).map(Number);
      return Math.hypot(qx - px, qy - py) < 0.09;
    };
    const text = [...before, `${px.toFixed(2)} ${py.toFixed(2)} ${pen}`].map((part) => part.trim()).join('; ');
    return before.some(near) || text.length > 2000 ? {} : { data: 'own', own: text };
  },
  draw({ plane, curves, neurons }, { values, reach, size, train, test, region, neurons: outputs, widths }) {
    reachShown = reach;
    plane!.begin({ x0: -reach, x1: reach, y0: -reach, y1: reach });
    plane!.heat(region, size, size, { scale: (p) => 2 * p - 1, strength: 0.6 });
    const colours = [plane!.colour('class-0'), plane!.colour('class-1')];
    for (const [{ xy, classes }, hollow] of [
      [test, true],
      [train, false],
    ] as const)
      classes.forEach((label, i) =>
        plane!.dot(xy[2 * i]!, xy[2 * i + 1]!, colours[label]!, { hollow, radius: hollow ? 2 : 2.8 }),
      );

    const { step, 'training loss': trainLoss, 'test loss': testLoss } = values;
    if (step === 0) curve = [];
    if (step !== curve.at(-1)?.step) curve.push({ step, train: trainLoss, test: testLoss });
    const top = Math.max(0.05, ...curve.map((c) => Math.min(1.5, Math.max(c.train, c.test))));
    curves!.begin({ x0: 0, x1: Math.max(100, step), y0: 0, y1: top * 1.05 }, { axes: true });
    curves!.line(
      curve.map((c) => [c.step, c.test]),
      curves!.colour('class-0'),
      { dash: [5, 4] },
    );
    curves!.line(
      curve.map((c) => [c.step, c.train]),
      curves!.colour('class-1'),
    );

    const { width, height } = neurons!;
    // As large as all fit: a wide layer goes on in another row.
    let side = 44;
    const across = (): number => Math.max(1, Math.floor(width / side));
    const down = (): number => widths.reduce((rows, w) => rows + Math.ceil(w / across()), 0);
    while (side > 4 && down() * side > height) side--;
    let used = 0;
    neurons!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    outputs.forEach((output, row) => {
      const columns = Math.min(across(), widths[row]!);
      const left = (width - side * columns) / 2;
      for (let k = 0; k < widths[row]!; k++) {
        const one = output.subarray(k * size * size, (k + 1) * size * size);
        const most = one.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-6);
        const [x0, y1] = [left + (k % columns) * side + 1, -used - Math.floor(k / columns) * side - 1];
        neurons!.heat(one, size, size, {
          scale: (v) => v / most,
          into: { x0, x1: x0 + side - 2, y0: y1 - side + 2, y1 },
        });
      }
      used += Math.ceil(widths[row]! / columns) * side + 1;
    });
    if (widths.length === 0)
      neurons!.text('No hidden layer: one straight line.', width / 2, -height / 2, { align: 'center' });
  },
};
