import type { run } from '../compute/sizes.js';
import source from 'source:../compute/sizes.ts';
import type { Figure } from '../frame/figure.js';
import { legend, lines } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const sizes: Figure<FrameOf<typeof run>> = {
  name: 'sizes',
  title: 'Small and large networks',
  text: `<p>Six networks with two hidden layers learn the same few noisy points at the same time. One neuron a layer cannot bend enough. Wide networks first
    learn the shape, then the noise: their training loss goes to zero, and the validation loss turns upwards. The dashed line is where <i>early stopping</i> would have kept
    the weights. Weight decay, more points or less noise make the large network the best of all, which is why one prefers a large network with regularisation to a small one.</p>`,
  formula:
    '\\text{bias: } L_{\\text{train}}-L_{\\text{possible}},\\qquad \\text{variance: } L_{\\text{val}}-L_{\\text{train}},\\qquad t^*=\\arg\\min_t L_{\\text{val}}(\\theta_t)',
  source,
  controls: {
    width: {
      kind: 'choice',
      label: 'Shown: neurons a layer',
      value: '64',
      options: { 1: '1', 2: '2', 4: '4', 8: '8', 16: '16', 64: '64' },
      live: true,
    },
    points: { kind: 'range', label: 'Training points', value: 60, min: 10, max: 600, step: 10 },
    noise: { kind: 'range', label: 'Noise', value: 0.35, min: 0, max: 0.6, step: 0.05 },
    decay: { kind: 'range', label: 'Weight decay', value: 0.001, min: 0.001, max: 5, step: 0.1, log: true },
    rate: { kind: 'range', label: 'Learning rate (AdamW)', value: 0.01, min: 0.0005, max: 0.1, step: 0.05, log: true },
    steps: { kind: 'range', label: 'Stops after steps', value: 1500, min: 20, max: 5000, step: 20 },
    seed: { kind: 'range', label: 'Seed', value: 3, min: 0, max: 20, step: 1 },
  },
  views: [
    { name: 'plane', label: 'What the shown network says, and what it was trained on' },
    { name: 'curves', label: 'Its losses; dashed: where validation was lowest' },
    { name: 'sizes', label: 'Losses now, by neurons a layer (logarithmic)', wide: true, aspect: 0.3, least: 150 },
  ],
  draw({ plane, curves, sizes: bySize }, frame) {
    const { at, shown, best, train, region, size, all, values } = frame;
    plane!.begin({ x0: -2, x1: 2, y0: -2, y1: 2 });
    plane!.heat(region, size, size, { scale: (p) => 2 * p - 1, strength: 0.6 });
    const colours = [plane!.colour('class-0'), plane!.colour('class-1')];
    train.classes.forEach((label, i) => plane!.dot(train.xy[2 * i]!, train.xy[2 * i + 1]!, colours[label]!));

    const top = Math.min(2, 1.1 * Math.max(...shown.validation.slice(-1), ...shown.train.slice(0, 1)));
    curves!.begin({ x0: 0, x1: Math.max(100, at.at(-1)!), y0: 0, y1: top * 1.25 }, { axes: true });
    const styles = (['train', 'validation', 'test'] as const).map((name, i) => ({
      name,
      colour: curves!.colour(['ink', 'class-0', 'class-2'][i]!),
      dash: i === 2 ? [5, 4] : [],
    }));
    curves!.line([[at[best]!, 0], [at[best]!, top * 1.25]], curves!.colour('class-1'), { width: 1.5, dash: [5, 4] }); // prettier-ignore
    lines(curves!, at, styles.map(({ name, ...style }) => ({ values: shown[name], ...style }))); // prettier-ignore
    legend(curves!, styles.map(({ name, colour }) => [name === 'train' ? 'training' : name, colour]), { right: false }); // prettier-ignore

    const most = Math.min(2, 1.15 * Math.max(...all.flatMap((n) => [n.train, n.validation, n.test])));
    bySize!.begin({ x0: -0.3, x1: all.length - 0.7, y0: -0.14 * most, y1: most });
    all.forEach(({ width, lowest }, i) => {
      bySize!.text(`${width}`, i, -0.07 * most, {
        align: 'center',
        colour: bySize!.colour('muted'),
      });
      bySize!.dot(i, lowest, bySize!.colour('class-1'), { radius: 5, hollow: true });
    });
    lines(
      bySize!,
      all.map((_, i) => i),
      styles.map(({ name, ...style }) => ({ values: all.map((n) => n[name]), ...style })),
    );
    const { step } = values;
    bySize!.text(`after ${step} steps; rings: lowest validation loss so far`, all.length - 0.75, most * 0.92, {
      align: 'right',
      colour: bySize!.colour('muted'),
    });
  },
};
