// Commands, options and help. What a command does is loaded when it runs, so that --help and faults come at once.

import { Argument, Command, CommanderError, Option } from 'commander';
import { collect, nonNegative, positiveNumber, wholeNumber } from './arguments.js';
import { AUGMENT_PRESETS, AUGMENT_TRANSFORMS } from './augment/names.js';
import { addDoctor, addLrFind } from './doctor-commands.js';
import { CliError, systemFault } from './errors.js';
import { addConvert, addInspect } from './file-commands.js';
import { addFit } from './fit-command.js';
import { addFinetune, addLook, addRun } from './model-commands.js';
import { placeOf } from './place.js';
import { oneLine, printable, printableLines } from './printable.js';
import { addCurves, addDashboard, addRuns } from './record-commands.js';
import { addSearch } from './search-command.js';
import { addGenerate } from './text-commands.js';
import { version } from './version.js';

/** Runs one command line and returns the exit code. All faults end here, as one line on standard error. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0 || error.code === 'commander.help') return 0;
      const text = oneLine(error).replace(/^error: /, '');
      complain(`${text}${/[.?!)]$/.test(text) ? '' : '.'} See nabla --help.`);
      return 2;
    }
    return await report(error);
  }
}

/** Says what ends the command. */
export function complain(message: string): void {
  process.stderr.write(`nabla: ${printableLines(message)}\n`);
}

async function report(error: unknown): Promise<number> {
  // One of several processes has said it for all of them.
  if (error instanceof Error && 'isTold' in error && error.isTold === true) return 1;
  if (error instanceof CliError) {
    complain(oneLine(error));
    return error.exitCode;
  }
  const refused = systemFault(error);
  if (refused !== undefined) complain(printable(refused));
  else if (await isExpected(error)) {
    const place = placeOf(error);
    complain(place === undefined ? oneLine(error) : `${printable(place)}: ${oneLine(error)}`);
  } else complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
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
  addNew(program);
  addFit(program);
  addEval(program);
  addPredict(program);
  addGenerate(program);
  addAugment(program);
  addCurves(program);
  addRuns(program);
  addDashboard(program);
  addSearch(program);
  addDoctor(program);
  addLrFind(program);
  addRun(program);
  addLook(program);
  addFinetune(program);
  addInspect(program);
  addConvert(program);
  addInfo(program);
  return program;
}

const device = () => new Option('--device <name>', 'where to compute, see nabla info').default('cpu');
const definition = () => new Option('--definition <file>', 'the file that defines the run, if it is no preset');
const trust = () => new Option('--trust', 'execute the file that the run folder names');
const download = () =>
  new Option('--download', 'download the data set if it is not there (NABLA_DATA, else the cache)');
const json = () => new Option('--json', 'print JSON lines instead of text');

function addTrain(program: Command): void {
  program
    .command('train')
    .summary('train a network: a preset, or a run defined in a file')
    .description('Trains a network, tests it on data it has not seen, and leaves weights and metrics in a run folder.')
    .argument('[run]', 'digits, mnist, translate, … (see below), or a file (.ts, .js) that exports defineRun({ … })')
    .option('--epochs <n>', 'times to go through the training data', wholeNumber(1, 1_000_000))
    .option('--lr <rate>', 'learning rate, the highest of its schedule', positiveNumber(1000))
    .option('--batch-size <n>', 'samples a step', wholeNumber(1, 1_000_000))
    .option('--seed <n>', 'seed of everything random', wholeNumber(0, 2 ** 31 - 1))
    .option(
      '--model <name>',
      'network: mnist cnn, lenet, mlp; cifar10 cnn, resnet18; char-lm gpt, lstm; translate transformer, gru; spam lstm, transformer, bert',
    )
    .option('--text <file>', 'text of char-lm (default: tiny Shakespeare)')
    .option('--set <key=value>', 'any other setting of the run; may be given again', collect)
    .addOption(device())
    .option('--out <folder>', 'run folder (default: runs/<run>-<date>-<time>)')
    .addOption(download())
    .option('--distributed', 'train with all processes that mpirun has started; the batch is divided among them')
    .option('--zero', 'with --distributed: divide the state of the optimiser, too')
    .option('--sync-batch-norm', 'with --distributed: batch normalisation measures the whole batch')
    .option('--doctor', 'look into layers, gradients and data on the way, and say at the end what is wrong')
    .option('--dashboard', 'serve a page that follows the run, for this machine alone (see nabla dashboard)')
    .addOption(
      new Option(
        '--resume <folder>',
        'go on with a run, with its own settings; with --epochs also beyond its end',
      ).conflicts(['lr', 'batchSize', 'seed', 'model', 'text', 'set', 'device', 'out']),
    )
    .addOption(new Option('--trust', 'with --resume: execute the file that the run folder names'))
    .addOption(json())
    .addHelpText(
      'after',
      `
Presets:
  digits    a small convolutional network on 1,797 images of 8x8 pixels, which come
            with the package
  mnist     handwritten digits of 28x28 pixels
  cifar10   ten kinds of things in colour, 32x32 pixels
  char-lm   a language model of characters
  shapes-segmentation, shapes-detection
            which pixels belong to circles, squares and triangles; where these are
  membrane  membranes of cells in slices seen by an electron microscope
  tracks    objects followed through a film
  vae, autoencoder, dcgan, ddpm
            digits through a few numbers and back; digits made up from random numbers
  simclr    features of small colour pictures, without labels
  few-labels, transfer
            digits of which few have labels; from some digits to others
  translate dates into another form; --set task=multi30k: German to English
  captions  sentences about pictures of shapes
  moving-shapes
            the next pictures of films
  masked-lm, spam
            messages with hidden words; messages that are spam or not
mnist, cifar10 and char-lm look for their data in NABLA_DATA and in the user's cache, and
fetch them with --download (11.6, 170 and 1.1 MB; from NABLA_MIRROR, if that names another
server); the others that need MNIST, CIFAR-10, membrane, messages or Multi30k look in NABLA_DATA.

Ctrl-C stops a run, and so may anything else: its folder stays valid, and --resume
goes on from its last checkpoint, to the very weights of an unbroken run (with
NABLA_CPU=wasm or native; switching between them changes the last bits).

Examples:
  nabla train digits
  nabla train digits --epochs 10 --seed 3 --out runs/short
  nabla train mnist --model lenet --set weightDecay=0
  nabla train mnist --download
  nabla train ./my-run.ts --lr 0.01
  nabla train --resume runs/short
  nabla train --resume runs/short --epochs 20
  mpirun -n 4 nabla train mnist --distributed`,
    )
    .allowExcessArguments(false)
    .action(async (run: string | undefined, options, command: Command) => {
      if (run === undefined && options.resume === undefined) return command.help();
      await (await import('./commands/train.js')).train(run, options);
    });
}

function addNew(program: Command): void {
  program
    .command('new')
    .summary('make a small project: a run in TypeScript, with its data')
    .description(
      'Makes a folder with a project that runs at once: a run file, a table to learn from, package.json, types.',
    )
    .argument('<name>', 'folder to make; its name is that of the package')
    .option('--nabla <what>', 'where npm takes nabla from: a version, or file:<path> (default: where this one is from)')
    .addHelpText(
      'after',
      `
Example:
  nabla new fruit
  nabla train fruit/run.ts
  nabla predict fruit/data/new.csv --definition fruit/run.ts`,
    )
    .allowExcessArguments(false)
    .action(async (name, options) => (await import('./commands/new.js')).newProject(name, options));
}

function addEval(program: Command): void {
  program
    .command('eval')
    .summary('loss and metrics of a trained run')
    .description('Evaluates the weights that a run has left on its own data.')
    .argument('<run>', 'run folder, or a .safetensors file in one')
    .addOption(new Option('--on <part>', 'which data').choices(['test', 'validation', 'train']).default('test'))
    .option('--best', 'the weights of the best epoch instead of the last')
    .addOption(definition())
    .addOption(trust())
    .addOption(download())
    .addOption(device())
    .addOption(json())
    .allowExcessArguments(false)
    .action(async (run, options) => (await import('./commands/eval.js')).evaluate(run, options));
}

function addPredict(program: Command): void {
  program
    .command('predict')
    .summary('use a trained network: classify images or rows of a table, write text')
    .description(
      'Uses the network of a run: classifies images, says what belongs to the rows of a CSV file, or goes on with a text.',
    )
    .argument('[file]', 'images: text, IDX or PNG; tables: CSV; standard input (text) if it is missing or -')
    .option('--test', 'evaluate the test data of the run instead of a file')
    .option('--weights <path>', 'a run folder, or a .safetensors file in one (default: the latest below runs/)')
    .option('--show', 'draw what the network sees (pictures, and what was inverted, are drawn anyway)')
    .option('--no-invert', 'leave images alone that are dark on light where the network has learned light on dark')
    .option('--prompt <text>', 'what the text begins with', '')
    .option('--length <n>', 'characters to write', wholeNumber(1, 1_000_000), 500)
    .option('--temperature <t>', '0 writes what is most probable, 1 what the network believes', nonNegative(100), 0.8)
    .option('--seed <n>', 'seed of the characters drawn', wholeNumber(0, 2 ** 31 - 1), 0)
    .addOption(definition())
    .addOption(trust())
    .addOption(download())
    .addOption(device())
    .addOption(json())
    .addHelpText(
      'after',
      `
A line of a text file is one image: its numbers from 0 to the largest (digits: 64
numbers to 16; mnist: 784 to 255), row by row, separated by commas or blanks. One
more number is the label; with labels the accuracy is printed, too.

Examples:
  nabla predict --test
  nabla predict digits.csv
  nabla predict drawing.png --weights runs/mnist
  nabla predict t10k-images-idx3-ubyte.gz --weights runs/mnist
  nabla predict --weights runs/poet --prompt 'ROMEO:' --length 400`,
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
    .addOption(download())
    .addOption(json())
    .addHelpText(
      'after',
      `
All presets but digits look for their data in NABLA_DATA and in the user's cache, and
fetch them with --download.

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
