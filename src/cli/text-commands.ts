// The commands that write texts: options and help.

import { type Command, Option } from 'commander';
import { nonNegative, numberFrom, positiveNumber, wholeNumber } from './arguments.js';

const drawn = ['temperature', 'topK', 'topP'];

export function addGenerate(program: Command): void {
  program
    .command('generate')
    .summary("go on with a text, by a model in transformers' files")
    .description(
      "Writes text with a model: a folder in transformers' layout or the address of one (GPT-2, Llama, Mistral, Qwen, Gemma, T5), or the run folder of a language model.",
    )
    .argument('<model>', 'folder, address (https://huggingface.co/gpt2/resolve/main), or run folder')
    .requiredOption('--prompt <text>', 'what the text begins with; to T5, what it answers')
    .option('--max-tokens <n>', 'most tokens to write (characters of a run)', wholeNumber(1, 1_000_000), 100)
    .option(
      '--temperature <t>',
      '0 writes what is most probable, 1 what the model believes (default: 0.8; T5: 0)',
      nonNegative(100),
    )
    .option('--top-k <n>', 'draw from so many of the most probable tokens', wholeNumber(1, 1_000_000))
    .option('--top-p <p>', 'draw from the most probable tokens that add up to this probability', positiveNumber(1))
    .addOption(new Option('--greedy', 'always the most probable token').conflicts(drawn))
    .addOption(
      new Option('--beams <n>', 'follow so many texts at once, and write the most probable')
        .argParser(wholeNumber(1, 1000))
        .conflicts(drawn),
    )
    .option(
      '--length-penalty <p>',
      'with --beams: above 0 longer texts win more often (default: 1)',
      numberFrom(-100, 100),
    )
    .option(
      '--repetition-penalty <p>',
      'above 1 makes tokens less probable that are there already',
      positiveNumber(100),
    )
    .option('--ngram-once <n>', 'no so many tokens in a row come twice', wholeNumber(1, 1000))
    .option('--seed <n>', 'seed of the tokens drawn', wholeNumber(0, 2 ** 31 - 1), 0)
    .option('--weights <file>', 'the file of weights in the folder')
    .addOption(new Option('--definition <file>', 'the file that defines the run, if it is no preset'))
    .addOption(new Option('--trust', 'execute the file that the run folder names'))
    .addOption(new Option('--device <name>', 'where to compute, see nabla info').default('cpu'))
    .addOption(new Option('--json', 'print one line of JSON, when all is written'))
    .addHelpText(
      'after',
      `
A folder has config.json, model.safetensors (or shards, or pytorch_model.bin) and
tokenizer.json, spiece.model or tokenizer.model. What an address has is kept in the
user's cache. Tokenizers need npm install @huggingface/tokenizers.

Examples:
  nabla generate models/gpt2 --prompt 'Once upon a time' --top-p 0.9
  nabla generate https://huggingface.co/google-t5/t5-small/resolve/main \\
    --prompt 'translate English to German: The house is small.' --beams 4
  nabla generate runs/poet --prompt 'ROMEO:' --max-tokens 400`,
    )
    .allowExcessArguments(false)
    .action(async (model, options) => (await import('./commands/generate.js')).generate(model, options));
}
