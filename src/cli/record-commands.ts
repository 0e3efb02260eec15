// The commands that read the records of runs: options and help.

import { type Command, Option } from 'commander';
import { wholeNumber } from './arguments.js';

export function addCurves(program: Command): void {
  program
    .command('curves')
    .summary('draw the learning curves of runs')
    .description('Draws the learning curves of runs in the terminal, or writes them as a picture.')
    .argument('[run...]', 'run folders, or their metrics.jsonl (default: the latest below runs/)')
    .option('--out <file>', 'write a picture instead: a name that ends in .svg or .png')
    .option('--metric <name...>', 'only these metrics; lr is the learning rate')
    .addOption(new Option('--x <axis>', 'what to draw over').choices(['epoch', 'step', 'time']).default('epoch'))
    .option('--log', 'logarithmic y axis for losses, errors and lr')
    .option('--steps', 'also the training loss of every step')
    .addHelpText(
      'after',
      `
Examples:
  nabla curves
  nabla curves runs/first runs/second --metric loss --log
  nabla curves runs/first --out curves.svg`,
    )
    .action(async (paths, options) => (await import('./commands/curves.js')).curves(paths, options));
}

export function addRuns(program: Command): void {
  program
    .command('runs')
    .summary('compare runs in a table')
    .description(
      'Compares the runs below a folder, task by task: best and last values, learning rate, time, status, and the settings in which they differ; the best run first.',
    )
    .argument('[folder]', 'where to look (default: runs/)')
    .option('--metric <name...>', 'compare by these metrics (default: loss and one more)')
    .option('--sort <by>', 'a metric, name, time, epochs or lr (default: the first metric)')
    .addOption(new Option('--json', 'print JSON lines instead of text'))
    .allowExcessArguments(false)
    .action(async (folder, options) => (await import('./commands/runs.js')).runs(folder, options));
}

export function addDashboard(program: Command): void {
  program
    .command('dashboard')
    .summary('follow and compare runs in a page')
    .description(
      'Serves a page for this machine alone that follows the runs below a folder: curves, a table with filters, parallel coordinates, layers, histograms, images, findings of the doctor. Reads event files of TensorBoard, too. Ctrl-C ends.',
    )
    .argument('[folder]', 'where the runs are (default: runs/)')
    .option('--port <n>', 'port at 127.0.0.1 (default: a free one)', wholeNumber(1, 65535))
    .allowExcessArguments(false)
    .action(async (folder, options) => (await import('./commands/dashboard.js')).dashboard(folder, options));
}
