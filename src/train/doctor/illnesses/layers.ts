// What goes wrong inside: gradients that do not arrive, units that do not answer.

import { isWeighted } from '../leaves.js';
import { type Finding, type Illness, figure, percent } from '../illness.js';
import { type Readings, isPoor, lateHalf, layerHistories, median } from '../readings.js';

/** Gradient at the first layer as a part of that at the last. Ten sigmoids leave 1e-6, ReLU with Kaiming about 1. */
const VANISHED = 1e-3;

function isVanishing(readings: Readings): Finding | undefined {
  if (!isPoor(readings, 0.5)) return undefined;
  const ratios: number[] = [];
  let ends: readonly [string, number, string, number] | undefined;
  for (const { layers } of readings.looks) {
    const weighted = layers.filter((layer) => isWeighted(layer) && layer.gradStd !== undefined);
    const [first, last] = [weighted[0], weighted.at(-1)];
    if (weighted.length < 3 || !(last?.gradStd ?? 0)) continue;
    ratios.push((first.gradStd ?? 0) / (last?.gradStd ?? 1));
    ends ??= [first.name, first.gradStd ?? 0, last?.name ?? '', last?.gradStd ?? 0];
  }
  const ratio = median(ratios) ?? 1;
  // No gradient at all is cut off rather than faded away: dead units.
  if (ends === undefined || ratio >= VANISHED || ratio === 0) return undefined;
  const [first, firstGradient, last, lastGradient] = ends;
  return {
    evidence: [
      {
        text: `of the gradient at ${last} (${figure(lastGradient)}) a share of ${figure(ratio)} arrives at ${first} (${figure(firstGradient)}).`,
        layers: [first, last],
        numbers: { ratio },
      },
    ],
  };
}

/** Units without an answer in the later half of the run. A third is usual for ReLU after training, in a single batch. */
const DEAD = 0.7;
/** Even in a run that learns, this is a waste. */
const VERY_DEAD = 0.95;

function isDead(readings: Readings): Finding | undefined {
  const hurts = isPoor(readings, 0.5);
  const limit = hurts ? DEAD : VERY_DEAD;
  const evidence = [...layerHistories(readings.looks)].flatMap(([name, history]) => {
    if (!/ReLU/.test(history[0].kind)) return [];
    const dead = median(lateHalf(history).map((layer) => layer.dead)) ?? 0;
    if (dead < limit) return [];
    const text = `${percent(dead)} of the units of ${name} (${history[0].kind}) are 0 for whole batches.`;
    return [{ text, layers: [name], numbers: { dead } }];
  });
  return evidence.length === 0 ? undefined : { evidence, severity: hurts ? 'error' : 'warning' };
}

const SATURATED = 0.6;

/** All but the last layer: a sure answer is no illness. */
function isSaturated(readings: Readings): Finding | undefined {
  const histories = [...layerHistories(readings.looks)].slice(0, -1);
  const evidence = histories.flatMap(([name, history]) => {
    const saturated = median(lateHalf(history).map((layer) => layer.saturated ?? 0)) ?? 0;
    if (saturated < SATURATED) return [];
    const text = `${percent(saturated)} of the outputs of ${name} (${history[0].kind}) are at the ends of their range.`;
    return [{ text, layers: [name], numbers: { saturated } }];
  });
  return evidence.length === 0 || !isPoor(readings, 0.5) ? undefined : { evidence };
}

export const LAYERS: readonly Illness[] = [
  {
    code: 'dead-relus',
    title: 'Units are dead: ReLUs give 0 for every input',
    about:
      'A ReLU gives 0 for every negative input, and its slope there is 0. A unit whose input is negative for all samples gets no gradient any more: it never answers again, and never learns. One step that is too long is enough.',
    sign: 'Units of ReLU layers that are 0 for whole batches are counted; in the later half of the run it is more than 70 % of a layer (95 % where the run learns all the same).',
    severity: 'error',
    needs: ['layers'],
    detect: isDead,
    remedy:
      'Start with Kaiming weights and biases of 0 or slightly above, lower the learning rate, or use a leaky ReLU.',
  },
  {
    code: 'saturated-activations',
    title: 'Activations are saturated',
    about:
      'At the ends of their range sigmoid and tanh are flat: their slope is nearly 0, and nothing that lies before them learns.',
    sign: "More than 60 % of a hidden layer's outputs are within 1 % of the ends of the range, and the loss does not come down.",
    severity: 'error',
    needs: ['layers'],
    detect: isSaturated,
    remedy:
      'Use ReLU, or keep what enters sigmoid and tanh small: Xavier weights, normalised inputs, batch normalisation.',
  },
  {
    code: 'vanishing-gradients',
    title: 'Gradients vanish on their way to the first layers',
    about:
      'On the way back each layer multiplies the gradient. With factors below 1 (a sigmoid has at most 1/4) little arrives at the first layers, and these stay random.',
    sign: 'The gradient at the first layer is less than a thousandth of that at the last, in the median of all looks, and the loss does not come down.',
    severity: 'error',
    needs: ['layers'],
    detect: isVanishing,
    remedy:
      'Use ReLU in the place of sigmoid or tanh, Xavier or Kaiming weights, batch normalisation, or residual connections; an LSTM for sequences.',
  },
];
