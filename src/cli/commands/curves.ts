// `nabla curves`: learning curves of runs, in the terminal or as a picture.

import { extname } from 'node:path';
import { type NamedRun, learningCurves } from '../../train/curves.js';
import { rasteriseSvg } from '../../train/node/rasterise.js';
import { chartSvg } from '../../train/plot/svg.js';
import { chartText } from '../../train/plot/text.js';
import { CliError } from '../errors.js';
import { writeOutput } from '../output-file.js';
import { printable } from '../printable.js';
import { latestRecord, readRun } from '../records.js';
import { type Style, terminalOf } from '../terminal.js';

interface Options {
  readonly out?: string;
  readonly metric?: readonly string[];
  readonly x: 'epoch' | 'step' | 'time';
  readonly log?: true;
  readonly steps?: true;
}

const PAINTS: readonly (keyof Style)[] = ['cyan', 'red', 'green', 'bold', 'dim'];

export async function curves(paths: readonly string[], options: Options): Promise<void> {
  const { out, metric, x, log = false, steps } = options;
  const kind = out === undefined ? undefined : extname(out).toLowerCase();
  if (kind !== undefined && kind !== '.svg' && kind !== '.png')
    throw new CliError(`--out ${out}: the name must end in .svg or .png.`);
  const runs: NamedRun[] = [];
  for (const path of paths.length > 0 ? paths : [latestRecord()]) {
    const { name, events } = await readRun(path);
    runs.push({ name: printable(name), events });
  }
  const charts = learningCurves(nameApart(runs, paths), {
    x,
    log,
    ...(metric !== undefined && { metrics: metric }),
    ...(steps !== undefined && { steps }),
  });
  const terminal = terminalOf(process.stdout);
  if (out === undefined) {
    const paint = (text: string, colour: number) => terminal.style[PAINTS[colour % PAINTS.length]](text);
    const columns = Math.min(terminal.columns, 120);
    charts.forEach((chart, i) => {
      if (i > 0) terminal.line();
      for (const line of chartText(chart, { columns, paint })) terminal.line(line);
    });
    return;
  }
  const svg = chartSvg(charts);
  const content = kind === '.svg' ? svg : await rasteriseSvg(svg);
  await writeOutput(out, content);
  terminal.line(out);
}

/** Runs in folders of the same name are called by their whole path. */
function nameApart(runs: readonly NamedRun[], paths: readonly string[]): NamedRun[] {
  const names = runs.map((run) => run.name);
  const isTwice = new Set(names).size < names.length;
  return runs.map((run, i) => (isTwice ? { ...run, name: printable(paths[i]) } : run));
}
