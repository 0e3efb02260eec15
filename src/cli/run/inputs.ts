// What `--input` says, as numbers for the inputs of a model: files of arrays, pictures, sounds, texts, numbers and lists.
//   --input photo.png   --input x=a.npy --input y=b.npy   --input sr=16000   --input x=zeros[1,80,200]   --input 'a text'

import { existsSync } from 'node:fs';
import { HostRandom } from '../../data/index.js';
import { openForCommand, userFault } from '../inspect/tensors.js';
import { CliError } from '../errors.js';
import { isPicturePath } from '../networks/pictures.js';
import { readNumber } from '../number-text.js';
import { readText } from '../run-folder.js';
import { readPictures } from './picture-input.js';
import type { InputOptions, Numbers, RunInput, Runnable } from './runnable.js';
import { readSound } from './sound.js';
import { textFeeds } from './text-input.js';

export interface Feeds {
  readonly numbers: Readonly<Record<string, Numbers>>;
  /** What to call the parts of a batch: files, texts. */
  readonly names: readonly string[];
  /** What was made of the inputs, to be told. */
  readonly notes: readonly string[];
}

interface Asked {
  /** Undefined: the first input that has none yet. */
  readonly input: RunInput | undefined;
  readonly value: string;
}

/** Numbers for the inputs, from what was given on the command line. Throws CliError. */
export async function readInputs(model: Runnable, texts: readonly string[], options: InputOptions): Promise<Feeds> {
  const asked = texts.map((text) => askedOf(model, text));
  const known = new Set(asked.flatMap(({ input }) => (input === undefined ? [] : [input.name])));
  const free = model.inputs.filter(({ name }) => !known.has(name));
  const whole = asked.filter(({ input }) => input === undefined).map(({ value }) => value);
  const numbers: Record<string, Numbers> = {};
  const names: string[] = [];
  const notes: string[] = [];
  const put = (input: RunInput, given: Numbers): void => void (numbers[input.name] = batched(input, given));
  for (const { input, value } of asked)
    if (input !== undefined) put(input, await valueOf(model, input, value, options, notes));
  if (whole.length > 0 && whole.every((value) => !existsSync(value)) && isText(model)) {
    Object.assign(numbers, textFeeds(model, whole));
    return { numbers, names: whole, notes };
  }
  if (whole.length > 0 && whole.every((value) => /\.txt$/i.test(value)) && isText(model)) {
    Object.assign(numbers, textFeeds(model, whole.map(readText)));
    return { numbers, names: whole, notes };
  }
  if (whole.length > 0 && whole.every(isPicturePath) && free.length > 0) {
    numbers[free[0].name] = await readPictures(model, free[0], whole, options, notes);
    return { numbers, names: whole, notes };
  }
  let next = 0;
  for (const value of whole) {
    if (/\.(npz|safetensors)$/i.test(value)) {
      Object.assign(numbers, await readArrays(model, value));
      continue;
    }
    const input = free[next++];
    if (input === undefined)
      throw new CliError(
        `--input ${value}: the model takes ${model.inputs.length} inputs (${namesOf(model)}), and all are given.`,
      );
    put(input, await valueOf(model, input, value, options, notes));
  }
  return { numbers, names, notes };
}

const isText = ({ tokenizer, characters }: Runnable): boolean => tokenizer !== undefined || characters !== undefined;
const namesOf = ({ inputs }: Runnable): string => inputs.map(({ name }) => name).join(', ');

/** `name=value` where there is such an input; otherwise all of it is the value. */
function askedOf(model: Runnable, text: string): Asked {
  // A name may have a = in it, and so may a text: the longest name that fits counts.
  const fitting = model.inputs.filter(({ name }) => text.startsWith(`${name}=`));
  const [input] = fitting.toSorted((a, b) => b.name.length - a.name.length);
  if (input !== undefined) return { input, value: text.slice(input.name.length + 1) };
  const unknown = /^([\w.:/-]+)=/.exec(text)?.[1];
  if (unknown !== undefined && !existsSync(text) && !isText(model))
    throw new CliError(`--input ${text}: the model has no input '${unknown}'. It has ${namesOf(model)}.`);
  return { input: undefined, value: text };
}

async function valueOf(
  model: Runnable,
  input: RunInput,
  value: string,
  options: InputOptions,
  notes: string[],
): Promise<Numbers> {
  if (existsSync(value)) {
    if (isPicturePath(value)) return readPictures(model, input, [value], options, notes);
    if (/\.wav$/i.test(value)) return readSound(input, value, options.rate, notes);
    if (/\.json$/i.test(value)) return listOf(value, readText(value));
    return readArray(value, input);
  }
  const made = /^(zeros|ones|random)(\[[\d,\s]*\])?$/.exec(value);
  if (made !== null) return madeUp(made[1], madeShape(input, made[2], notes), options.seed);
  if (value.trim().startsWith('[')) return listOf('--input', value);
  const number = value === 'true' ? 1 : value === 'false' ? 0 : readNumber(value);
  if (Number.isFinite(number)) return { data: [number], shape: (input.shape ?? []).map(() => 1) };
  throw new CliError(
    `--input ${input.name}: there is no file '${value}', and it is no number, no list such as [1, 2], and none of zeros, ones, random. Texts need a tokenizer.json (--tokenizer).`,
  );
}

// ---------------------------------------------------------------- arrays

/** The array of that name, or the only one. */
async function readArray(path: string, { name }: RunInput): Promise<Numbers> {
  const { tensors } = await openForCommand(path);
  const found = tensors.get(name) ?? (tensors.size === 1 ? [...tensors.values()][0] : undefined);
  if (found === undefined)
    throw new CliError(`${path} has no array '${name}'. It has ${[...tensors.keys()].slice(0, 8).join(', ')}.`);
  const data = await userFault(() => found.data());
  return { data: data as ArrayLike<number>, shape: found.shape };
}

/** All arrays of a file, each for the input of its name; the only one for the only input. */
async function readArrays(model: Runnable, path: string): Promise<Record<string, Numbers>> {
  const { tensors } = await openForCommand(path);
  const [only] = model.inputs;
  if (tensors.size === 1 && model.inputs.length === 1 && !tensors.has(only.name))
    return { [only.name]: batched(only, await readArray(path, only)) };
  const found = model.inputs.filter(({ name }) => tensors.has(name));
  if (found.length === 0)
    throw new CliError(
      `${path} has no array of the name of an input (${namesOf(model)}). It has ${[...tensors.keys()].slice(0, 8).join(', ')}.`,
    );
  const entries: [string, Numbers][] = [];
  for (const input of found) entries.push([input.name, batched(input, await readArray(path, input))]);
  return Object.fromEntries(entries);
}

/** One sample for a model that takes a batch of such. */
function batched(input: RunInput, { data, shape }: Numbers): Numbers {
  const wanted = input.shape;
  if (wanted === undefined || wanted.length !== shape.length + 1) return { data, shape };
  const isBatch = typeof wanted[0] !== 'number' || wanted[0] === 1;
  return { data, shape: isBatch ? [1, ...shape] : shape };
}

/** A list of lists of numbers. */
function listOf(source: string, text: string): Numbers {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliError(`${source}: ${(error as Error).message}.`);
  }
  const shape: number[] = [];
  for (let at = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  const data: number[] = [];
  const visit = (part: unknown, depth: number): void => {
    if (Array.isArray(part) && part.length === shape[depth]) for (const one of part) visit(one, depth + 1);
    else if (depth === shape.length && (typeof part === 'number' || typeof part === 'boolean')) data.push(Number(part));
    else throw new CliError(`${source}: a list of lists of numbers that are equally long is wanted.`);
  };
  visit(value, 0);
  return { data, shape };
}

// ---------------------------------------------------------------- made up

/** The shape that was asked for, or the model's with 1 for what may be any. */
function madeShape(input: RunInput, text: string | undefined, notes: string[]): readonly number[] {
  if (text !== undefined) return sizesIn(text);
  if (input.shape === undefined)
    throw new CliError(
      `--input ${input.name}: the model does not say which shape it has. Give it: zeros[1,3,224,224].`,
    );
  const open = input.shape.filter((n) => typeof n !== 'number');
  if (open.length > 0) notes.push(`${input.name}: 1 for ${open.map((n) => n ?? '?').join(', ')}`);
  return input.shape.map((n) => (typeof n === 'number' ? n : 1));
}

/** Most numbers that are made up. */
const MOST_MADE = 1 << 28;

function sizesIn(text: string): readonly number[] {
  const sizes = text
    .slice(1, -1)
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  if (sizes.every(Number.isInteger) && sizes.reduce((a, b) => a * b, 1) <= MOST_MADE) return sizes;
  throw new CliError(`--input: a shape of ${text} has more numbers than are made up. Use at most ${MOST_MADE}.`);
}

function madeUp(what: string, shape: readonly number[], seed: number): Numbers {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const random = new HostRandom(seed, 0x1f);
  if (what === 'ones') data.fill(1);
  if (what === 'random') for (let i = 0; i < data.length; i++) data[i] = random.uniform();
  return { data, shape };
}

/** Made-up numbers for all inputs: to measure how long a run takes. */
export function madeUpInputs({ inputs }: Runnable, seed: number): Feeds {
  const notes: string[] = [];
  const numbers = inputs
    .filter(({ isOptional }) => isOptional !== true)
    .map((input) => {
      const isReal = input.dtype === undefined || input.dtype.includes('float');
      return [input.name, madeUp(isReal ? 'random' : 'ones', madeShape(input, undefined, notes), seed)] as const;
    });
  return { numbers: Object.fromEntries(numbers), names: [], notes };
}
