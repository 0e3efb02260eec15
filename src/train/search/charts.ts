// A study as charts: the results in the order of the trials, and over each hyper-parameter.

import type { Chart } from '../plot/chart.js';
import { type Dimension, dimensionsOf } from './space.js';
import type { Study } from './study.js';
import type { Trial } from './trial.js';

/** One chart of the results by trial with the best so far, and one for each dimension; to be drawn with `chartSvg`. */
export function studyCharts(study: Study, name = 'result'): Chart[] {
  const completed = study.trials.filter(({ value }) => Number.isFinite(value) && value !== undefined);
  const y = completed.map(({ value }) => value);
  const dots = { name: 'trial', colour: 0, look: 'dots' } as const;
  const best = bestSoFar(study);
  const course: Chart = {
    title: name,
    xLabel: 'trial',
    log: false,
    series: [
      { ...dots, x: completed.map(({ number }) => number + 1), y },
      {
        name: 'best so far',
        colour: 1,
        look: 'solid',
        x: best.map(([number]) => number + 1),
        y: best.map(([, v]) => v),
      },
    ],
  };
  const others = dimensionsOf(study.space).map(([key, dimension]): Chart => {
    const values = completed.map(({ params }: Trial) => (params as Record<string, unknown>)[key]);
    return {
      title: name,
      log: false,
      ...axisFor(key, dimension),
      series: [{ ...dots, x: places(values, dimension), y }],
    };
  });
  return [course, ...others];
}

function axisFor(key: string, dimension: Dimension<unknown>): Pick<Chart, 'xLabel' | 'xScale'> {
  if (dimension.categories !== undefined) {
    const names = dimension.grid(1).map((value, i) => `${i + 1} ${String(value)}`);
    return { xLabel: `${key}: ${names.join(', ')}`, xScale: 'whole' };
  }
  return { xLabel: key, xScale: dimension.scale ?? 'linear' };
}

/** The values themselves; of choices their numbers. */
function places(values: readonly unknown[], dimension: Dimension<unknown>): number[] {
  const { categories } = dimension;
  if (categories === undefined) return values as number[];
  return values.map((value) => Math.floor(dimension.place(value) * categories) + 1);
}

/** [number, value] of the best completed trial after each trial. */
function bestSoFar({ trials, direction }: Study): (readonly [number, number])[] {
  let best = NaN;
  return trials.map(({ number, state, value }) => {
    const isBetter = Number.isNaN(best) || (direction === 'maximize' ? value > best : value < best);
    if (state === 'completed' && isBetter) best = value;
    return [number, best] as const;
  });
}
