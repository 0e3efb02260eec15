// What a run of `train digits` tells while it goes on: lines and a progress bar for a person, JSON lines for a program.

import { dirname } from 'node:path';
import { devices } from '../../index.js';
import { confusion } from '../draw.js';
import { ProgressBar } from '../progress.js';
import { type EpochMetrics, type RunFiles, RUNS } from '../run-folder.js';
import { commandLine } from '../self.js';
import { type Terminal, duration, grouped, percent } from '../terminal.js';
import type { Settings } from './defaults.js';
import { CLASSES, splitDigits } from './recipe.js';
import { printEvaluation } from './report.js';
import type { Evaluation, Trainer } from './trainer.js';

/** Where the events of a run go: lines and a bar for a person, or JSON lines. */
export interface Listener {
  start(run: {
    files: RunFiles;
    settings: Settings;
    trainer: Trainer;
    images: Record<string, number>;
    done: readonly EpochMetrics[];
  }): void;
  batch(epoch: number, fraction: number, loss: number): void;
  epoch(metrics: EpochMetrics): void;
  end(result: { files: RunFiles; evaluation: Evaluation; metrics: readonly EpochMetrics[] }): void;
  interrupted(files: RunFiles, epochs: number): void;
  /** Leaves the screen tidy, however the run ended. */
  close(): void;
}

// ---------------------------------------------------------------- for a person

export function textListener(terminal: Terminal, settings: Settings, trainer: Trainer): Listener {
  const { style } = terminal;
  const bar = new ProgressBar(terminal);
  const width = String(settings.epochs).length;
  const label = (epoch: number) => `${String(epoch).padStart(width)}/${settings.epochs}`;
  let begin = 0; // of this session's training, after the first batch: compiling is not a measure of speed
  let counted = 0;
  let average = NaN;
  const row = (m: EpochMetrics) => {
    const numbers = [
      m.trainLoss.toFixed(4),
      percent(m.trainAccuracy),
      m.validationLoss.toFixed(4),
      percent(m.validationAccuracy),
    ];
    const [a, b, c, d] = numbers.map((text, i) => text.padStart(i === 2 ? 12 : 9));
    terminal.line(`${label(m.epoch).padStart(7)} ${a} ${b} ${c} ${style.bold(d)} ${duration(m.seconds).padStart(9)}`);
  };
  return {
    start({ files, images, done }) {
      const { lr, batchSize, seed, device, epochs } = settings;
      terminal.line(style.bold('Training a small convolutional network on handwritten digits'));
      terminal.line();
      const fact = (name: string, value: string) => terminal.line(`  ${style.dim(name.padEnd(9))} ${value}`);
      fact(
        'images',
        `${grouped(images.train)} to train on, ${grouped(images.validation)} to validate, ${grouped(images.test)} to test`,
      );
      fact('network', `${grouped(trainer.model.parameterCount)} parameters`);
      fact('settings', `${epochs} epochs, batch size ${batchSize}, learning rate ${lr}, seed ${seed}`);
      const details = devices().find(({ name }) => name === device)?.details ?? {};
      const threads =
        details.threads === undefined ? '' : `, ${String(details.threads)} thread${details.threads === 1 ? '' : 's'}`;
      fact('device', `${device}${details.tier === undefined ? '' : `, ${String(details.tier)}`}${threads}`);
      fact('folder', files.folder);
      terminal.line();
      terminal.line(style.dim(`  epoch         training            validation           time`));
      terminal.line(style.dim(`             loss  accuracy         loss  accuracy`));
      for (const m of done) row(m);
    },
    batch(epoch, fraction, loss) {
      const now = performance.now();
      if (begin === 0) begin = now;
      else counted += settings.batchSize;
      average = Number.isNaN(average) ? loss : average * 0.9 + loss * 0.1;
      const speed = counted / ((now - begin) / 1000);
      const left = (settings.epochs - epoch + 1 - fraction) * trainer.batchesPerEpoch * settings.batchSize;
      bar.update({
        label: label(epoch).padStart(7),
        fraction,
        loss: average,
        samplesPerSecond: speed,
        secondsLeft: left / speed,
      });
    },
    epoch(m) {
      bar.clear();
      row(m);
    },
    end({ files, evaluation, metrics }) {
      const seconds = totalSeconds(metrics);
      terminal.line();
      printEvaluation(terminal, 'Test', splitDigits().test, evaluation);
      terminal.line();
      const isLatest = dirname(files.folder) === RUNS;
      terminal.line(`Trained for ${duration(seconds)}. Weights and metrics are in ${files.folder}.`);
      terminal.line(`Next: ${commandLine('predict', '--test', ...(isLatest ? [] : ['--weights', files.folder]))}`);
    },
    interrupted() {},
    close: () => bar.clear(),
  };
}

// ---------------------------------------------------------------- for a program

export function jsonListener(terminal: Terminal): Listener {
  const emit = (event: string, fields: object) => terminal.line(JSON.stringify({ event, ...fields }));
  return {
    start: ({ files, settings, trainer, images, done }) =>
      emit('start', {
        folder: files.folder,
        settings,
        images,
        parameters: trainer.model.parameterCount,
        epochsDone: done.length,
      }),
    batch() {},
    epoch: (metrics) => emit('epoch', metrics),
    end: ({ files, evaluation, metrics }) =>
      emit('end', {
        testLoss: evaluation.loss,
        testAccuracy: evaluation.accuracy,
        confusion: confusion(splitDigits().test.column('y'), evaluation.predictions, CLASSES),
        seconds: totalSeconds(metrics),
        weights: files.weights,
      }),
    interrupted: (files, epochs) => emit('interrupted', { folder: files.folder, epochsDone: epochs }),
    close() {},
  };
}

function totalSeconds(metrics: readonly EpochMetrics[]): number {
  return metrics.reduce((sum, { seconds }) => sum + seconds, 0);
}
