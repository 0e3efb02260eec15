// The commands that use models which others have trained, and train them on: options and help.

import { type Command, Option } from 'commander';
import { collect, collectTexts, pictureSize, positiveNumber, wholeNumber } from './arguments.js';

export const weights = () =>
  new Option('--weights <file>', 'weights of a network that is named: .pt, .safetensors, .npz');
export const size = () =>
  new Option('--size <n>', 'side of the images that a network by name is made for, or HEIGHTxWIDTH').argParser(
    pictureSize,
  );
const device = () => new Option('--device <name>', 'where to compute, see nabla info').default('cpu');
const json = () => new Option('--json', 'print JSON lines instead of text');

export function addRun(program: Command): void {
  program
    .command('run')
    .summary('run a model: ONNX, a run folder, a network by name')
    .description(
      'Computes the outputs of a model for inputs from files: an ONNX file, a run folder, a folder of transformers, or a network of ' +
        'nabla/models by its name, with weights from a file.',
    )
    .argument('<model>', 'file.onnx, a folder, or a name such as resnet18 or mobilenet_v2')
    .option(
      '-i, --input <[name=]value>',
      'a file (.npy, .npz, .png, .jpg, .wav, .json, .txt), a text, a number, [a list], zeros[1,80] or random; may be given again',
      collectTexts,
    )
    .addOption(weights())
    .addOption(size())
    .option('--preprocess <name>', 'how pictures become inputs: imagenet, clip, vit, …, or none for 0 to 1')
    .option(
      '--rate <hz>',
      'samples a second that sounds are read at (default: those of the file)',
      wholeNumber(1, 1_000_000),
    )
    .option('--tokenizer <folder>', 'tokenizer.json of an ONNX model that takes texts, or its folder')
    .option('--labels <file>', 'names of the classes: a file with one a line, or imagenet, coco, voc')
    .option('--top <k>', 'how many classes to show', wholeNumber(1, 10_000))
    .option('-o, --output <file>', 'write the outputs: .npz, .npy, .json, .safetensors')
    .option('--bench <n>', 'measure n runs; without --input on made-up numbers', wholeNumber(1, 1_000_000))
    .option('--seed <n>', 'seed of made-up numbers', wholeNumber(0, 2 ** 31 - 1), 0)
    .addOption(new Option('--definition <file>', 'the file that defines the run, if it is no preset'))
    .addOption(new Option('--trust', 'execute the file that the run folder names'))
    .addOption(device())
    .addOption(json())
    .addHelpText(
      'after',
      `
Inputs without a name are taken in the model's order; several pictures or texts are one
batch. nabla inspect shows what a model takes.

Examples:
  nabla run mobilenet.onnx -i palace.jpg --preprocess imagenet --labels imagenet
  nabla run resnet18 --weights resnet18.pth -i palace.jpg --labels imagenet --top 3
  nabla run silero_vad.onnx -i frame.npy -i state=zeros[2,1,128] -i sr=16000 -o out.npz
  nabla run runs/pets -i cat.png -i dog.png
  nabla run ./bert-tiny -i 'a text' -o features.npy
  nabla run model.onnx --bench 100`,
    )
    .allowExcessArguments(false)
    .action(async (model, options) => (await import('./commands/run.js')).runModel(model, options));
}

export function addLook(program: Command): void {
  program
    .command('look')
    .summary('draw what is in a network for pictures, and what it makes of one')
    .description(
      'Draws the filters of the first convolution, the maps that layers make of a picture, and where the network looks: the pixels ' +
        'that matter (saliency) and the places that speak for a class (Grad-CAM).',
    )
    .argument('<model>', 'a run folder, a folder of transformers, or a name such as resnet18 with --weights')
    .requiredOption('--image <file>', 'the picture: .png, .jpg, .webp, …')
    .option(
      '--layer <name>',
      'a layer whose maps are drawn; may be given again (default: first and last)',
      collectTexts,
    )
    .option('--class <name>', 'the class that is asked about, by name or number (default: the most probable)')
    .option('--preprocess <name>', 'how the picture becomes an input: imagenet, clip, vit, …, or none for 0 to 1')
    .option('--labels <file>', 'names of the classes: a file with one a line, or imagenet, coco, voc')
    .option('--out <folder>', 'folder for the pictures (default: look-<model>)')
    .addOption(weights())
    .addOption(size())
    .addOption(new Option('--definition <file>', 'the file that defines the run, if it is no preset'))
    .addOption(new Option('--trust', 'execute the file that the run folder names'))
    .addOption(device())
    .addOption(json())
    .addHelpText(
      'after',
      `
Examples:
  nabla look runs/mnist --image seven.png
  nabla look resnet18 --weights resnet18.pth --image palace.jpg --layer layer1 --layer layer4
  nabla look runs/pets --image cat.png --class dog`,
    )
    .allowExcessArguments(false)
    .action(async (model, options) => (await import('./commands/look.js')).look(model, options));
}

export function addFinetune(program: Command): void {
  program
    .command('finetune')
    .summary('train a model that others have trained on your own pictures')
    .description(
      'Puts a new last layer for the classes of a folder of pictures on a model that others have trained, and trains it; the rest is frozen, ' +
        'for good or for some epochs. Leaves a run folder, as nabla train does.',
    )
    .argument('<model>', 'file.onnx, or the name of a network such as mobilenet_v2, with --weights')
    .argument('<folder>', 'pictures, in one folder for each class; or train, val and test with such folders in them')
    .addOption(weights())
    .addOption(size())
    .option('--epochs <n>', 'times to go through the pictures (default: 10)', wholeNumber(1, 1_000_000))
    .option('--lr <rate>', 'learning rate of the new layer (default: 0.001)', positiveNumber(1000))
    .option('--body-lr <rate>', 'learning rate of the rest, where it learns (default: 0.0001)', positiveNumber(1000))
    .option('--batch-size <n>', 'pictures a step (default: 16)', wholeNumber(1, 1_000_000))
    .option('--unfreeze <epochs>', 'let the rest learn as well after so many epochs', wholeNumber(1, 1_000_000))
    .option('--no-freeze', 'let the rest learn from the start')
    .addOption(
      new Option(
        '--augment <how>',
        'random crops and flips; strong: colours and geometry as well (default: light)',
      ).choices(['none', 'light', 'strong']),
    )
    .option('--preprocess <name>', 'what the model was trained on: imagenet, clip, vit, none, … (default: imagenet)')
    .option('--validation <share>', 'part of the pictures to validate with (default: 0.2)', positiveNumber(0.9))
    .option(
      '--features <name>',
      'value of an ONNX graph to put the new layer behind (default: before the last linear layer)',
    )
    .option('--seed <n>', 'seed of everything random', wholeNumber(0, 2 ** 31 - 1))
    .option('--set <key=value>', 'any other setting: weightDecay; may be given again', collect)
    .addOption(device())
    .option('--out <folder>', 'run folder (default: runs/finetune-<date>-<time>)')
    .option('--doctor', 'look into layers, gradients and data on the way, and say at the end what is wrong')
    .addOption(json())
    .addHelpText(
      'after',
      `
Ctrl-C stops it; nabla train --resume goes on. The run folder is used by nabla predict
and nabla run, and nabla convert makes an ONNX model of it.

Examples:
  nabla finetune mobilenet_v2 photos --weights mobilenet_v2-b0353104.pth
  nabla finetune model.onnx photos --epochs 20 --unfreeze 10 --out runs/pets
  nabla run runs/pets -i cat.png`,
    )
    .allowExcessArguments(false)
    .action(async (model, folder, options) =>
      (await import('./commands/finetune.js')).finetune(model, folder, options),
    );
}
