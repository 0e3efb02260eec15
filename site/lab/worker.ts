// The worker of every figure: runs the computation that the page names, a frame at a time, as the page asks for them.

import * as activations from './compute/activations.js';
import * as adversarial from './compute/adversarial.js';
import * as architectures from './compute/architectures.js';
import * as attention from './compute/attention.js';
import * as augmentation from './compute/augmentation.js';
import * as batches from './compute/batches.js';
import * as batchnorm from './compute/batchnorm.js';
import * as border from './compute/border.js';
import * as capacity from './compute/capacity.js';
import * as cartpole from './compute/cartpole.js';
import * as characters from './compute/characters.js';
import * as components from './compute/components.js';
import * as decay from './compute/decay.js';
import * as drawing from './compute/drawing.js';
import * as dropout from './compute/dropout.js';
import * as field from './compute/field.js';
import * as formula from './compute/formula.js';
import * as gan from './compute/gan.js';
import * as gates from './compute/gates.js';
import * as initialisation from './compute/initialisation.js';
import * as kernel from './compute/kernel.js';
import * as kmeans from './compute/kmeans.js';
import * as latent from './compute/latent.js';
import * as likelihood from './compute/likelihood.js';
import * as losses from './compute/losses.js';
import * as messages from './compute/messages.js';
import * as momentum from './compute/momentum.js';
import * as neighbours from './compute/neighbours.js';
import * as playground from './compute/playground.js';
import * as pooling from './compute/pooling.js';
import * as positions from './compute/positions.js';
import * as race from './compute/race.js';
import * as rates from './compute/rates.js';
import * as sizes from './compute/sizes.js';
import * as table from './compute/table.js';
import * as transformer from './compute/transformer.js';
import * as tuning from './compute/tuning.js';
import * as unrolled from './compute/unrolled.js';
import * as upsampling from './compute/upsampling.js';
import { AHEAD, type ToPage, type ToWorker } from './frame/messages.js';

interface Computation {
  run(settings: object): AsyncIterable<{ readonly values: Readonly<Record<string, number | string>> }>;
}

const COMPUTATIONS: Readonly<Record<string, Computation>> = {
  activations,
  adversarial,
  architectures,
  attention,
  augmentation,
  batches,
  batchnorm,
  border,
  capacity,
  cartpole,
  characters,
  components,
  decay,
  drawing,
  dropout,
  field,
  formula,
  gan,
  gates,
  initialisation,
  kernel,
  kmeans,
  latent,
  likelihood,
  losses,
  messages,
  momentum,
  neighbours,
  playground,
  pooling,
  positions,
  race,
  rates,
  sizes,
  table,
  transformer,
  tuning,
  unrolled,
  upsampling,
};

interface Run {
  readonly number: number;
  /** Changed under the computation's hands by live controls. */
  readonly settings: object;
  /** Frames that may still be computed. */
  credit: number;
  wake: () => void;
}

let current: Run | undefined;

async function compute(run: Run, figure: string): Promise<void> {
  const post = (message: ToPage): void => postMessage(message);
  try {
    for await (const frame of COMPUTATIONS[figure]!.run(run.settings)) {
      if (run !== current) return;
      post({ kind: 'frame', run: run.number, frame });
      run.credit--;
      while (run.credit <= 0 && run === current) await new Promise<void>((resolve) => (run.wake = resolve));
      if (run !== current) return;
    }
    post({ kind: 'end', run: run.number });
  } catch (error) {
    // Shown in the figure: a formula or a list of widths is typed by people.
    post({ kind: 'error', run: run.number, message: error instanceof Error ? error.message : String(error) });
  }
}

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'start') {
    const before = current;
    current = { number: data.run, settings: { ...data.settings }, credit: AHEAD, wake: () => {} };
    before?.wake();
    void compute(current, data.figure);
  } else if (data.run === current?.number) {
    if (data.kind === 'change') Object.assign(current.settings, data.settings);
    else {
      current.credit++;
      current.wake();
    }
  }
});
