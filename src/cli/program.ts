// Commands, options and help. What a command does is loaded when it runs, so that --help and faults come at once.

import { Argument, Command, CommanderError, Option } from 'commander';
import { positiveNumber, wholeNumber } from './arguments.js';
import { CliError } from './errors.js';
import { AUGMENT_PRESETS, AUGMENT_TRANSFORMS } from './augment/names.js';
import { DEFAULTS } from './digits/defaults.js';
import { version } from './version.js';

/** Runs one command line and returns the exit code. All faults end here, as one line on standard error. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0 || error.code === 'commander.help') return 0;
      const text = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
      complain(`${text}${/[.?!)]$/.test(text) ? '' : '.'} See nabla --help.`);
      return 2;
    }
    return await report(error);
  }
}

function complain(message: string): void {
  process.stderr.write(`nabla: ${message}\n`);
}

async function report(error: unknown): Promise<number> {
  if (error instanceof CliError) {
    complain(error.message);
    return error.exitCode;
  }
  if (await isExpected(error)) complain((error as Error).message.replaceAll(/\s*\n\s*/g, ' '));
  else complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
}

/** An error that the library throws on purpose, such as OutOfMemoryError: its text says it all. */
async function isExpected(error: unknown): Promise<boolean> {
  const { NablaError, InternalError } = await import('../index.js');
  return error instanceof NablaError && !(error instanceof InternalError);
}

function createProgram(): Command {
  const program = new Command('nabla')
    .description('Trains neural networks and uses them. Start with: nabla train digits')
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({
      outputError: () => {}, // run() says it, on one line
      writeErr: (text) => void process.stdout.write(text), // help for a command that is not complete
    })
    .configureHelp({ showGlobalOptions: false });
  addTrain(program);
  addPredict(program);
  addAugment(program);
  addInfo(program);
  return program;
}

const device = () => new Option('--device <name>', 'where to compute, see nabla info').default(DEFAULTS.device);
const json = () => new Option('--json', 'print JSON lines instead of text');

function addTrain(program: Command): void {
  const train = program.command('train').description('train a network');
  train
    .command('digits')
    .summary('train a small network on handwritten digits')
    .description(
      'Trains a small convolutional network on 1,797 handwritten digits of 8x8 pixels, which come with the package, ' +
        'tests it on images it has not seen, and leaves weights and metrics in a run folder.',
    )
    .option('--epochs <n>', 'times to go through the training images', wholeNumber(1, 10_000), DEFAULTS.epochs)
    .option('--lr <rate>', 'highest learning rate of the schedule', positiveNumber(10), DEFAULTS.lr)
    .option('--batch-size <n>', 'images a step', wholeNumber(2, 1024), DEFAULTS.batchSize)
    .option('--seed <n>', 'seed of everything random', wholeNumber(0, 2 ** 31 - 1), DEFAULTS.seed)
    .addOption(device())
    .option('--out <folder>', 'run folder (default: runs/digits-<date>-<time>)')
    .addOption(
      new Option('--resume <folder>', 'go on with an interrupted run, with its own settings').conflicts([
        'epochs',
        'lr',
        'batchSize',
        'seed',
        'device',
        'out',
      ]),
    )
    .addOption(json())
    .addHelpText(
      'after',
      `
Ctrl-C stops a run. Its folder stays valid, and --resume goes on after the last
finished epoch, to the very weights that an unbroken run would have reached.

Examples:
  nabla train digits
  nabla train digits --epochs 10 --seed 3 --out runs/short
  nabla train digits --resume runs/short`,
    )
    .allowExcessArguments(false)
    .action(async (options) => (await import('./commands/train-digits.js')).trainDigits(options));
}

function addPredict(program: Command): void {
  program
    .command('predict')
    .summary('classify images of digits')
    .description('Classifies images of digits with the weights that a run has left.')
    .argument('[file]', 'CSV file; standard input if it is missing or -')
    .option('--test', 'classify the test images of the digits instead of a file')
    .option('--weights <path>', 'a .safetensors file or a run folder (default: the latest below runs/)')
    .addOption(device())
    .addOption(json())
    .addHelpText(
      'after',
      `
A line of the file is one 8x8 image: 64 numbers from 0 (paper) to 16 (ink), row
by row, separated by commas or blanks. A 65th number is the label; with labels
the accuracy is printed, too.

Examples:
  nabla predict --test
  nabla predict digits.csv
  nabla predict --weights runs/short --json < digits.csv`,
    )
    .allowExcessArguments(false)
    .action(async (file, options) => (await import('./commands/predict.js')).predict(file, options));
}

function addAugment(program: Command): void {
  program
    .command('augment')
    .summary('draw augmented images side by side')
    .description('Writes a PNG file with images of a data set, each followed by what an augmentation makes of it.')
    .addArgument(new Argument('<preset>', 'whose images').choices(AUGMENT_PRESETS))
    .addOption(new Option('--transform <name>', "instead of the preset's own augmentation").choices(AUGMENT_TRANSFORMS))
    .option('--out <file>', 'file to write (default: augment-<preset>.png)')
    .option('--samples <n>', 'augmented copies of each image', wholeNumber(1, 64), 8)
    .option('--rows <n>', 'images', wholeNumber(1, 64), 8)
    .option('--seed <n>', 'which images, and which random numbers', wholeNumber(0, 2 ** 31 - 1), 0)
    .addOption(json())
    .addHelpText(
      'after',
      `
Examples:
  nabla augment digits
  nabla augment digits --transform rand-augment --rows 4 --out sheet.png`,
    )
    .allowExcessArguments(false)
    .action(async (preset, options) => (await import('./commands/augment.js')).augment(preset, options));
}

function addInfo(program: Command): void {
  program
    .command('info')
    .summary('show version, devices, threads, heap')
    .description('Shows the version, the devices with their threads and instruction sets, and the heap.')
    .addOption(json())
    .allowExcessArguments(false)
    .action(async (options) => (await import('./commands/info.js')).info(options));
}
