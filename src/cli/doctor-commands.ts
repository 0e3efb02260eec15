// The commands that find out what is wrong, and which rate is right: options and help.

import { type Command, Option } from 'commander';
import { collect, positiveNumber, wholeNumber } from './arguments.js';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('say what is wrong with a run')
    .description(
      'Reads the record of a run and names what is wrong with it, with evidence and remedy: rates too high or too low, ' +
        'over- and underfitting, dead units, vanishing gradients, forgotten calls and more.',
    )
    .argument('[run]', 'run folder, or its metrics.jsonl (default: the latest below runs/)')
    .option('--list', 'list everything that the doctor knows')
    .option('--explain <finding>', 'what a finding means, how it is noticed, and what to do; names as in --list')
    .addOption(new Option('--json', 'print JSON instead of text'))
    .addHelpText(
      'after',
      `
A run with doctor: true (nabla train --doctor) records what the doctor sees best.

Examples:
  nabla doctor
  nabla doctor runs/first --json
  nabla doctor --explain dead-relus`,
    )
    .allowExcessArguments(false)
    .action(async (run, options) => (await import('./commands/doctor.js')).doctor(run, options));
}

export function addLrFind(program: Command): void {
  program
    .command('lr-find')
    .summary('find a learning rate')
    .description(
      'Trains a run for some steps while the learning rate grows, draws the loss over it, and suggests a rate. Nothing is kept.',
    )
    .argument('<run>', 'a preset, or a file that exports defineRun({ … }); see nabla train')
    .option('--from <rate>', 'the first rate', positiveNumber(1000), 1e-6)
    .option('--to <rate>', 'the last rate', positiveNumber(1000), 10)
    .option('--steps <n>', 'steps in between', wholeNumber(10, 100_000), 100)
    .option('--set <key=value>', 'a setting of the run; may be given again', collect)
    .option('--download', 'download the data set if it is not there (NABLA_DATA, else the cache)')
    .addOption(new Option('--device <name>', 'where to compute, see nabla info').default('cpu'))
    .addOption(new Option('--json', 'print the curve as JSON'))
    .addHelpText(
      'after',
      `
Examples:
  nabla lr-find digits
  nabla lr-find mnist --set model=lenet --from 1e-5 --to 1`,
    )
    .allowExcessArguments(false)
    .action(async (run, options) => (await import('./commands/lr-find.js')).lrFind(run, options));
}
