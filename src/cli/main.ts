#!/usr/bin/env node
// The command line: `nabla train digits`, `nabla predict`, `nabla info`. Wiring only: arguments in, a command called,
// and every foreseeable fault as one line on standard error with exit code 2.

import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { NablaError } from '../index.js';
import { UsageError, aboveZero, aDevice, aSeed, count } from './arguments.js';
import { info } from './info.js';
import { predict } from './predict.js';
import { trainDigits } from './train-digits.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

function program(): Command {
  const nabla = new Command('nabla')
    .description('Deep learning in TypeScript.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });

  const train = nabla.command('train').description('Train a model.');
  train
    .command('digits')
    .description('A small convolutional network on the 1,797 handwritten digits that come with the package.')
    .addOption(new Option('--epochs <n>', 'passes over the training data').argParser(count('epochs')).default(16))
    .addOption(new Option('--lr <rate>', 'highest learning rate').argParser(aboveZero('lr')).default(0.004))
    .addOption(new Option('--batch-size <n>', 'samples in a batch').argParser(count('batch-size')).default(64))
    .addOption(
      new Option('--seed <n>', 'seed of the weights, the order and the augmentation').argParser(aSeed).default(0),
    )
    .addOption(new Option('--device <name>', 'where to compute').argParser(aDevice))
    .addOption(new Option('--out <folder>', 'run folder (default: runs/digits-<time>)'))
    .addOption(new Option('--resume <folder>', 'go on with an interrupted run, with its own settings'))
    .addOption(new Option('--json', 'one JSON line for each epoch instead of the display'))
    .action((options) => trainDigits(options));

  nabla
    .command('predict')
    .description(
      'Classify 8 × 8 digits: lines of 64 numbers from 0 to 16, comma-separated; a 65th number is the label.',
    )
    .argument('[file]', 'CSV file; - or nothing reads standard input')
    .addOption(new Option('--test', "classify the data set's test part instead"))
    .addOption(new Option('--weights <path>', 'weights.safetensors or a run folder (default: the latest run in runs/)'))
    .addOption(new Option('--json', 'one JSON line for each digit'))
    .action((file: string | undefined, options) => predict(file, options));

  nabla
    .command('info')
    .description('Devices, tiers, threads, instruction sets, heap.')
    .addOption(new Option('--json', 'as JSON'))
    .action((options) => info(version, options));

  for (const command of [train, ...train.commands, ...nabla.commands])
    command.exitOverride().configureOutput({ writeErr: () => {} });
  return nabla;
}

/** A fault of the user's is one line; a fault of ours keeps its trace. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // --help, --version
    const text =
      error.code === 'commander.help'
        ? 'no command given'
        : error.message.replace(/^error: /, '').replace(/\n[\s\S]*$/, '');
    process.stderr.write(`nabla: ${text}. See nabla --help.\n`);
    return 2;
  }
  if (error instanceof UsageError || (error instanceof NablaError && error.name !== 'InternalError')) {
    process.stderr.write(`nabla: ${error.message}\n`);
    return 2;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

// A reader that goes away (`| head`) ends the program quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

program()
  .parseAsync(process.argv)
  .then(
    () => process.exit(process.exitCode ?? 0),
    (error: unknown) => process.exit(report(error)),
  );
