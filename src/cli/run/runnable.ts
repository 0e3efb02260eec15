// What `nabla run` runs, whatever it comes from: named inputs, named outputs, and how pictures and texts become inputs.
//   an ONNX file · a run folder · a folder of transformers' · a network by name with weights

import { type AnyTensor, compile, noGrad, tensor } from '../../index.js';
import { problemText } from '../../onnx/error.js';
import { OnnxError, loadOnnx } from '../../onnx/index.js';
import { type Tokenizer, loadTokenizer } from '../../text/index.js';
import { leavesOf } from '../../tensor/trees.js';
import { CliError } from '../errors.js';
import { headOf, isOnnx } from '../file-head.js';
import { userFault } from '../inspect/tensors.js';
import {
  type Network,
  type NetworkFacts,
  type NetworkInput,
  type NetworkOptions,
  networkKindOf,
  openNetwork,
  weightsAlone,
} from '../networks/network.js';

/** Numbers in row-major order. */
export interface Numbers {
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
  readonly shape: readonly number[];
}

export interface InputOptions {
  readonly preprocess?: string;
  /** Samples a second that sounds are read at. */
  readonly rate?: number;
  readonly seed: number;
}

export interface RunInput {
  readonly name: string;
  /** Undefined where the model does not say it. */
  readonly dtype: string | undefined;
  /** A text is the name of a size that may be any, undefined one without a name. */
  readonly shape: readonly (number | string | undefined)[] | undefined;
  readonly isOptional?: boolean;
}

export interface Runnable extends NetworkFacts {
  readonly inputs: readonly RunInput[];
  /** Throws CliError for inputs that do not fit, with all that is wrong with them. */
  run(given: Readonly<Record<string, Numbers>>): Promise<Readonly<Record<string, AnyTensor>>>;
}

export interface OpenOptions extends NetworkOptions {
  /** A folder with tokenizer.json, for a model that has none. */
  readonly tokenizer?: string;
}

export async function openRunnable(source: string, options: OpenOptions): Promise<Runnable> {
  const kind = networkKindOf(source);
  if (kind !== undefined) return networkRunnable(await openNetwork(kind, source, options), options);
  if (!isOnnx(headOf(source), source)) throw weightsAlone(source, 'run resnet18');
  for (const name of ['weights', 'size', 'definition'] as const)
    if (options[name] !== undefined) throw new CliError(`--${name}: ${source} is an ONNX model, which has all of it.`);
  const model = await userFault(() => loadOnnx(source));
  const tokenizer = await tokenizerOf(options);
  return {
    what: `ONNX model ${source}`,
    inputs: model.inputs,
    ...(tokenizer !== undefined && { tokenizer }),
    run: (given) => userFault(() => model.run(given).catch(inOneSentence)),
  };
}

async function tokenizerOf({ tokenizer }: OpenOptions): Promise<Tokenizer | undefined> {
  return tokenizer === undefined ? undefined : userFault(() => loadTokenizer(tokenizer));
}

/** Several things that do not fit are one sentence here. */
function inOneSentence(error: unknown): never {
  if (!(error instanceof OnnxError) || error.problems.length === 0) throw error;
  const [begin] = error.message.split('\n');
  throw new CliError(`${begin.replace(/^run: /, '')} ${error.problems.map(problemText).join('; ')}.`);
}

// ---------------------------------------------------------------- networks

type Call = (...given: AnyTensor[]) => Promise<Readonly<Record<string, AnyTensor>>>;

async function networkRunnable(network: Network, options: OpenOptions): Promise<Runnable> {
  const { module, inputs, ...facts } = network;
  const tokenizer = facts.tokenizer ?? (await tokenizerOf(options));
  const calls = new Map<string, Call>();
  const callWith = (present: readonly boolean[]): Call => {
    const key = present.join();
    const known = calls.get(key);
    if (known !== undefined) return known;
    const call = compile((...given: AnyTensor[]) => {
      let next = 0;
      const all = present.map((isThere) => (isThere ? given[next++] : undefined));
      // What forward takes is what `inputs` say, against which the tensors were checked.
      return noGrad(() => named(module.forward(...(all as never[]))));
    });
    calls.set(key, call);
    return call;
  };
  return {
    ...facts,
    ...(tokenizer !== undefined && { tokenizer }),
    inputs,
    run: (given) =>
      userFault(() => {
        const tensors = checked(inputs, given);
        const call = callWith(inputs.map(({ name }) => Object.hasOwn(tensors, name)));
        return call(...Object.values(tensors));
      }),
  };
}

/** A tensor is called output; those of an object or a list by their places in it. */
function named(result: unknown): Record<string, AnyTensor> {
  const leaves = leavesOf(result);
  return Object.fromEntries(leaves.map(({ path, tensor: t }) => [path === '' ? 'output' : path, t]));
}

/** In the order of the inputs. Throws CliError with all that does not fit. */
function checked(
  inputs: readonly NetworkInput[],
  given: Readonly<Record<string, Numbers>>,
): Readonly<Record<string, AnyTensor>> {
  const problems: string[] = [];
  const sizes = new Map<string, { readonly size: number; readonly of: string }>();
  const tensors = new Map<string, AnyTensor>();
  for (const input of inputs) {
    const { name, isOptional = false } = input;
    const numbers = Object.hasOwn(given, name) ? given[name] : undefined;
    if (numbers !== undefined) {
      const problem = misfit(input, numbers, sizes);
      if (problem === undefined) tensors.set(name, tensorOf(input, numbers));
      else problems.push(problem);
    } else if (!isOptional) problems.push(`${described(input)} is missing`);
  }
  for (const name of Object.keys(given))
    if (!inputs.some((input) => input.name === name)) problems.push(`there is no input '${name}'`);
  if (problems.length > 0) throw new CliError(`the inputs do not fit the network: ${problems.join('; ')}.`);
  return Object.fromEntries(tensors);
}

const described = ({ name, dtype, shape }: NetworkInput): string => `${name} (${dtype} [${shape.join(', ')}])`;

function misfit(
  input: NetworkInput,
  { data, shape }: Numbers,
  sizes: Map<string, { readonly size: number; readonly of: string }>,
): string | undefined {
  const has = `[${shape.join(', ')}]`;
  const isWanted = (n: number | string, i: number): boolean => typeof n === 'string' || n === shape[i];
  if (shape.length !== input.shape.length || !input.shape.every(isWanted))
    return `${described(input)} is given as ${has}`;
  for (const [i, n] of input.shape.entries()) {
    if (typeof n === 'number') continue;
    const known = sizes.get(n);
    if (known !== undefined && known.size !== shape[i])
      return `${n} is ${known.size} in ${known.of} and ${shape[i]} in ${input.name}`;
    sizes.set(n, { size: shape[i], of: input.name });
  }
  if (input.dtype === 'float32') return undefined;
  const isWhole = (n: number | bigint): boolean => Number.isInteger(Number(n)) && Math.abs(Number(n)) < 2 ** 31;
  const wrong = Array.from(data as ArrayLike<number>).find((n) => !isWhole(n));
  return wrong === undefined ? undefined : `${described(input)} is given ${wrong}, which is no whole number of 32 bits`;
}

function tensorOf({ dtype }: NetworkInput, { data, shape }: Numbers): AnyTensor {
  const numbers = data as ArrayLike<number>;
  return dtype === 'int32'
    ? tensor(Int32Array.from(numbers, Number), { shape: [...shape] })
    : tensor(Float32Array.from(numbers, Number), { shape: [...shape] });
}
