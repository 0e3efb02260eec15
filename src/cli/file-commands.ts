// The commands that look into files of models and convert them: options and help.

import { type Command, Option } from 'commander';
import { collectRenames, wholeNumber } from './arguments.js';
import { size, weights } from './model-commands.js';

const key = () => new Option('--key <path>', 'only what is below these keys of a checkpoint: model_state_dict');

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .summary('show what is in a file of weights or of a model')
    .description(
      'Shows the tensors of a file (key, dtype, shape, bytes) and what else it holds; of an ONNX model its operators, inputs and outputs, ' +
        'and what nabla lacks to run it. Nothing in the file is executed.',
    )
    .argument('<file>', '.pt, .pth, .bin, .tar, .safetensors, .npz, .npy, .onnx, an index.json or a folder of shards')
    .addOption(key())
    .option('--stats', 'read all numbers: mean, standard deviation, least, largest, what is not finite')
    .addOption(new Option('--json', 'print JSON lines instead of text'))
    .addHelpText(
      'after',
      `
Examples:
  nabla inspect resnet18.pth
  nabla inspect checkpoint.pt --key model_state_dict --stats
  nabla inspect model.onnx`,
    )
    .allowExcessArguments(false)
    .action(async (file, options) => (await import('./commands/inspect.js')).inspect(file, options));
}

export function addConvert(program: Command): void {
  program
    .command('convert')
    .summary('convert weights (.pt, .safetensors, .npz), or a network to ONNX')
    .description(
      'Writes the tensors of a file, an ONNX model or a run folder in another format, or a network as an ONNX model. Dtypes stay what they ' +
        'are where the format has them.',
    )
    .argument(
      '<in>',
      'what nabla inspect reads, a run folder; for ONNX also a folder of transformers, or a name such as resnet18',
    )
    .argument('<out>', 'file to write: a name that ends in .safetensors, .npz, .pt or .onnx')
    .addOption(key().default(undefined, 'the state dict of a checkpoint'))
    .option(
      '--map <old=new>',
      'another name for a key, or for what stands before a dot; may be given again',
      collectRenames,
    )
    .addOption(
      new Option('--dtype <name>', 'what real numbers become').choices(['float32', 'float64', 'float16', 'bfloat16']),
    )
    .addOption(weights())
    .addOption(size())
    .option('--opset <n>', 'of an ONNX model: version of its operators', wholeNumber(13, 22))
    .option('--fold-norms', 'of an ONNX model: make a convolution and the batch norm behind it one convolution')
    .addOption(new Option('--definition <file>', 'the file that defines the run, if it is no preset'))
    .addOption(new Option('--trust', 'execute the file that the run folder names'))
    .addOption(new Option('--json', 'print JSON instead of text'))
    .addHelpText(
      'after',
      `
An empty new name takes what stands before a dot away: --map module= .

Examples:
  nabla convert resnet18.pth resnet18.safetensors
  nabla convert checkpoint.pt weights.npz --key ema --map module=
  nabla convert model.safetensors half.safetensors --dtype float16
  nabla convert runs/digits digits.onnx
  nabla convert resnet18 resnet18.onnx --weights resnet18.pth --fold-norms
  nabla convert model.onnx weights.safetensors`,
    )
    .allowExcessArguments(false)
    .action(async (from, to, options) => (await import('./commands/convert.js')).convert(from, to, options));
}
