// The command that fits estimators without networks: options and help.

import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { collect, wholeNumber } from './arguments.js';
import { KINDS, SETS } from './fit/names.js';
import { readNumber } from './number-text.js';

function share(text: string): number {
  const value = readNumber(text);
  if (value >= 0 && value < 1) return value;
  throw new InvalidArgumentError('Use a share from 0 to below 1.');
}

export function addFit(program: Command): void {
  program
    .command('fit')
    .summary('fit a classical model to a table: neighbours, k-means, PCA, linear models, trees, …')
    .description(
      'Splits a table, fits a classical model to one part, scores it on the other, and leaves the model, a picture and the results in a folder.',
    )
    .addArgument(new Argument('<model>', 'what to fit').choices(Object.keys(KINDS)))
    .argument('<data>', `a CSV file with a header, or a set that comes with the package: ${SETS.join(', ')}`)
    .option('--target <column>', 'the column to predict (sets know their own; kmeans and pca need none)')
    .addOption(
      new Option('--task <task>', 'what the target is, where the model does both').choices([
        'classification',
        'regression',
      ]),
    )
    .option('--set <key=value>', 'an option of the model; may be given again', collect)
    .option('--test <share>', 'of the rows to score on', share, 0.25)
    .option('--folds <n>', 'also cross-validate on the other rows', wholeNumber(2, 1000))
    .option('--seed <n>', 'seed of the split', wholeNumber(0, 2 ** 31 - 1), 0)
    .option('--out <folder>', 'where results go (default: runs/fit-<model>-<date>-<time>)')
    .addOption(new Option('--device <name>', 'where to compute, see nabla info').default('cpu'))
    .addOption(new Option('--json', 'print JSON instead of text'))
    .addHelpText(
      'after',
      `
Columns of numbers are standardised (for trees and forests left as they are), columns of
text become one-hot; gaps are filled with the mean or the commonest value. All of that is
learned from the rows to fit alone, and is kept with the model.

Models and some of their options (all: docs/classic.md):
${Object.entries(KINDS)
  .map(([name, { about }]) => `  ${name.padEnd(9)} ${about}`)
  .join('\n')}

Examples:
  nabla fit tree iris --set maxDepth=3
  nabla fit knn fruit.csv --target kind --set k=7 --folds 5
  nabla fit kmeans blobs --set clusters=3
  nabla predict new.csv --weights runs/fit-knn-20260101-120000`,
    )
    .allowExcessArguments(false)
    .action(async (model, data, options) => (await import('./commands/fit.js')).fit(model, data, options));
}
