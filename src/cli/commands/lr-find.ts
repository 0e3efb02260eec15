// `nabla lr-find`: the learning-rate range test of a run, with its curve drawn in the terminal.

import { disposeDevices, manualSeed } from '../../index.js';
import { type RateCurve, type RunPlan, findLearningRate } from '../../train/index.js';
import { formatJson } from '../../train/record.js';
import type { Chart } from '../../train/plot/chart.js';
import { chartText } from '../../train/plot/text.js';
import { createPlan, loadDefinition } from '../definitions.js';
import { useDevice } from '../device.js';
import { type DownloadOption, afterDownloads, allowDownloads } from '../downloads.js';
import { CliError, Interrupted } from '../errors.js';
import { commandLine } from '../self.js';
import { chooseSettings } from '../settings.js';
import { watchSignals } from '../signals.js';
import { type Terminal, terminalOf } from '../terminal.js';
import { smallest } from '../../tensor/extremes.js';

interface Options extends DownloadOption {
  readonly from: number;
  readonly to: number;
  readonly steps: number;
  readonly set?: Readonly<Record<string, string>>;
  readonly device: string;
  readonly json?: true;
}

export async function lrFind(run: string, options: Options): Promise<void> {
  const { from, to, steps, set = {}, device, json } = options;
  if (!(from < to)) throw new CliError(`--from ${from} is not below --to ${to}.`);
  const definition = await loadDefinition(run);
  const settings = chooseSettings(definition, set, (name) => `--set ${name}`);
  useDevice(device);
  const stop = watchSignals();
  allowDownloads(options, stop);
  const terminal = terminalOf(process.stdout);
  try {
    manualSeed(settings.seed);
    const plan: RunPlan = await createPlan(definition, settings, stop);
    const { model, optimizer, train, loss, forward, clipNorm, clipValue, compile } = plan;
    if (plan.turns !== undefined)
      throw new CliError(`${run} has a loss for each of its turns, and no single curve over the rates.`);
    const own = { model, optimizer, train, loss, forward, clipNorm, clipValue, compile };
    const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    const curve = await findLearningRate({ model, optimizer, train, ...given, from, to, steps, signal: stop.abort });
    if (stop.signal !== undefined) throw new Interrupted('stopped before the last rate', stop.signal);
    if (json === true) terminal.line(formatJson(curve));
    else show(terminal, run, curve, steps, set);
  } catch (error) {
    throw afterDownloads(error);
  } finally {
    stop.end();
    await disposeDevices();
  }
}

const rate = (value: number): string => value.toExponential(1).replace('e+0', '').replace('.0e', 'e');

function show(
  terminal: Terminal,
  run: string,
  curve: RateCurve,
  steps: number,
  set: Readonly<Record<string, string>>,
): void {
  for (const line of chartText(chartOf(curve), { columns: Math.min(terminal.columns, 100) })) terminal.line(line);
  const { rates, smooth, suggestion, steepest, tenthOfMinimum, diverged } = curve;
  terminal.line();
  if (diverged) {
    const last = rates.at(-1);
    terminal.line(
      `The loss grows without bound at ${last === undefined ? 'the first rate' : rate(last)} (step ${rates.length} of ${steps}).`,
    );
  }
  if (suggestion === undefined || steepest === undefined || tenthOfMinimum === undefined) {
    const [first = NaN, least = NaN] = [smooth[0], smallest(smooth)];
    terminal.line(
      `No suggestion: the loss does not fall at any rate (${first.toPrecision(3)} at first, ${least.toPrecision(3)} at least).`,
    );
    terminal.line(
      'Try a wider range, or more --steps; or find out with overfitOneBatch whether the model can learn at all.',
    );
    return;
  }
  terminal.line(
    `The loss falls fastest at ${rate(steepest)}; a tenth of the rate with the lowest loss is ${rate(tenthOfMinimum)}.`,
  );
  terminal.line(terminal.style.bold(`Suggested learning rate: ${rate(suggestion)}`));
  const settings = Object.entries(set).flatMap(([name, value]) => (name === 'lr' ? [] : ['--set', `${name}=${value}`]));
  terminal.line(`Next: ${commandLine('train', run, '--lr', rate(suggestion), ...settings)}`);
}

/** Losses above twice the first would press the rest flat. */
function chartOf({ rates, losses, smooth, suggestion }: RateCurve): Chart {
  const most = 2 * (smooth[0] ?? 1);
  const below = (list: readonly number[]) => list.map((value) => (value <= most ? value : NaN));
  const mark = rates.findIndex((value) => value === suggestion || (suggestion !== undefined && value > suggestion));
  return {
    title: 'loss',
    xLabel: 'learning rate, logarithmic',
    xScale: 'log',
    log: false,
    series: [
      { name: 'every step', x: rates, y: below(losses), colour: 0, look: 'faint' },
      { name: 'running mean', x: rates, y: below(smooth), colour: 0, look: 'solid', ...(mark >= 0 && { mark }) },
    ],
  };
}
