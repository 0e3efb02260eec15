// The command that searches for settings: options and help.

import { type Command, Option } from 'commander';
import { collect, wholeNumber } from './arguments.js';

export function addSearch(program: Command): void {
  program
    .command('search')
    .summary('find good settings of a run by trying many')
    .description(
      'Trains a run again and again with other settings, and says which were the best on the validation data.',
    )
    .argument('<run>', 'a preset, or a file that exports defineRun({ … }); see nabla train')
    .option('--space <key=values>', 'a setting and what to try; may be given again', collect)
    .option('--set <key=value>', 'a setting that is the same in all trials; may be given again', collect)
    .option('--epochs <n>', 'epochs of each trial', wholeNumber(1, 1_000_000))
    .option('--trials <n>', 'trials in all', wholeNumber(1, 100_000), 20)
    .addOption(
      new Option('--strategy <name>', 'how to choose')
        .choices(['bayesian', 'random', 'grid', 'refine'])
        .default('bayesian'),
    )
    .option('--halving', 'end trials early that fall behind (successive halving)')
    .option('--monitor <name>', 'what counts: loss or a metric, of the validation', 'loss')
    .option('--parallel <n>', 'trials at a time, each in a process of its own', wholeNumber(1, 256), 1)
    .option('--distributed', 'a worker for each process that mpirun has started; process 0 hands out the trials')
    .option('--seed <n>', 'seed of the choices', wholeNumber(0, 2 ** 31 - 1), 0)
    .option('--download', 'download the data set if it is not there (NABLA_DATA, else the cache)')
    .addOption(new Option('--device <name>', 'where to compute, see nabla info').default('cpu'))
    .option(
      '--out <folder>',
      'where trials are kept; a search that is there goes on (default: runs/search-<run>-<date>-<time>)',
    )
    .addOption(new Option('--json', 'print JSON lines instead of text'))
    .addHelpText(
      'after',
      `
What to try:
  lr=1e-4..1e-1:log     numbers from 0.0001 to 0.1, every order of magnitude alike
  dropout=0..0.5        numbers, all alike
  batchSize=16..256     whole numbers, if both ends are
  model=mlp,lenet       one of these

Example:
  nabla search digits --space lr=1e-4..1e-1:log --space dropout=0..0.5 --epochs 5 --halving
  mpirun -n 4 nabla search digits --distributed --space lr=1e-4..1e-1:log`,
    )
    .allowExcessArguments(false)
    .action(async (run, options) => (await import('./commands/search.js')).search(run, options));
}
