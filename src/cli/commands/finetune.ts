// `nabla finetune`: a run of the preset of that name, whose folder gets a picture of the learning curves.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { learningCurves } from '../../train/curves.js';
import { chartSvg } from '../../train/plot/svg.js';
import { CliError } from '../errors.js';
import { zooNameOf } from '../networks/zoo-names.js';
import { writeOutput } from '../output-file.js';
import { printable } from '../printable.js';
import { readRun } from '../records.js';
import { terminalOf } from '../terminal.js';
import { train } from './train.js';

export interface FinetuneOptions {
  readonly weights?: string;
  readonly size?: readonly [number, number];
  readonly features?: string;
  readonly preprocess?: string;
  readonly augment?: string;
  readonly validation?: number;
  readonly epochs?: number;
  readonly lr?: number;
  readonly bodyLr?: number;
  readonly batchSize?: number;
  readonly freeze: boolean;
  readonly unfreeze?: number;
  readonly seed?: number;
  readonly set?: Readonly<Record<string, string>>;
  readonly device: string;
  readonly out?: string;
  readonly doctor?: true;
  readonly json?: true;
}

export async function finetune(model: string, data: string, options: FinetuneOptions): Promise<void> {
  const { weights, size, features, preprocess, augment, validation, bodyLr, freeze, unfreeze, ...common } = options;
  const isNamed = !existsSync(model) && zooNameOf(model) !== undefined;
  if (!isNamed && !existsSync(model)) throw new CliError(`there is no file and no network '${model}'.`);
  if (isNamed && weights === undefined)
    throw new CliError(
      `--weights: ${model} is a network without weights, and fine-tuning begins with some. Name their file.`,
    );
  if (!existsSync(data)) throw new CliError(`cannot read ${data}: there is no such file or folder.`);
  if (!freeze && unfreeze !== undefined) throw new CliError('--unfreeze: with --no-freeze nothing is frozen.');
  const settings = {
    model: isNamed ? model : resolve(model),
    data: resolve(data),
    freeze,
    ...(weights !== undefined && { weights: resolve(weights) }),
    ...(size !== undefined && { size: size.join('x') }),
    ...(features !== undefined && { features }),
    ...(preprocess !== undefined && { preprocess }),
    ...(augment !== undefined && { augment }),
    ...(validation !== undefined && { validation }),
    ...(bodyLr !== undefined && { bodyLr }),
    ...(unfreeze !== undefined && { unfreeze }),
  };
  const folder = await train('finetune', { ...common, settings });
  const path = join(folder, 'curves.svg');
  const { name, events } = await readRun(folder);
  await writeOutput(path, chartSvg(learningCurves([{ name: printable(name), events }], { x: 'epoch', log: false })));
  if (options.json !== true) terminalOf(process.stdout).line(`Curves: ${printable(path)}`);
}
