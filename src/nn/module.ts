// The base class of everything that holds parameters. A module is a plain class: its state is the parameters and buffers
// found in its own fields, in modules among them, and in arrays and plain objects of these. There is no registration.
//   Keys are the paths to the fields, as PyTorch writes them: `layer1.0.bn1.running_mean`. A field in camelCase appears
//   in snake_case (`runningMean` → `running_mean`); one that begins with a capital stays as it is.
//   Fields declared with `#` are invisible here.
// Must not know: particular layers, files.

import {
  ArgumentError,
  checkOptions,
  DeviceError,
  formatShape,
  inUnit,
  markCopy,
  NablaError,
  type OptionNames,
  refuseOtherCopy,
  runPending,
  sameShape,
  type Shape,
  checkFunction,
  checkRecord,
  DTypeError,
  type FloatDType,
  changeDType,
  isFloat,
  shown,
} from '../tensor/library.js';
import { type AnyTensor, checkTensor } from '../tensor/tensor.js';
import { findPartsBy, followCalls } from './calls.js';
import * as hooks from './hooks.js';
import { lookAgain, registerModule, rootOfModules, setTraining, trainingOf } from './module-guards.js';
import { Buffer, Parameter } from './parameter.js';
import type { ReceptiveField } from './receptive-field.js';
import { type Summary, summarise } from './summary.js';

/** Tensors by PyTorch's names. */
export type StateDict = Record<string, AnyTensor>;

export interface LoadOptions {
  /** Throw if a key is missing or unexpected (the default). Shapes have to fit in any case. */
  readonly strict?: boolean;
}

const LOAD_OPTIONS: OptionNames<LoadOptions> = { strict: true };

export interface LoadResult {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/** A state dict that does not fit a module: keys that it lacks, has too many, or has in another shape. */
export class StateDictError extends NablaError {
  override name = 'StateDictError';
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshaped: readonly string[];

  /** `text` takes the place of the sentence that is made of the keys. */
  constructor(
    module: string,
    missing: readonly string[],
    unexpected: readonly string[],
    misshaped: readonly string[],
    text?: string,
  ) {
    const faults = [
      { what: 'missing', keys: missing },
      { what: 'unexpected', keys: unexpected },
      { what: 'of another shape', keys: misshaped },
    ].filter(({ keys }) => keys.length > 0);
    const advice = misshaped.length > 0 ? 'Build the module with the same sizes.' : 'strict: false loads what fits.';
    super(
      text ??
        `loadStateDict: the state does not fit ${module}: ${faults.map(({ what, keys }) => `${what}: ${keys.join(', ')}`).join('; ')}. ${advice}`,
    );
    this.missing = missing;
    this.unexpected = unexpected;
    this.misshaped = misshaped;
  }
}

type State = Parameter | Buffer;
type Fields = Iterable<readonly [name: string, value: unknown]>;

/** Errors name a parameter by its path in the largest module that was asked for its parameters; `named()` goes before. */
const pathNames = new WeakMap<object, string>();

function nameStorage(path: string, storage: Parameter['storage']): void {
  if (storage === undefined || storage.name !== pathNames.get(storage)) return;
  const name = `parameter ${path} ${formatShape(storage.shape)}`;
  if (storage.name !== undefined && storage.name.length >= name.length) return;
  storage.name = name;
  pathNames.set(storage, name);
}

/** Takes a hook away again: `remove()`. */
export type HookHandle = hooks.HookHandle;
/** Sees the arguments of `forward`; may return others, as a list. */
export type ForwardPreHook<M = Module> = hooks.ForwardPreHook<M>;
/** Sees arguments and result of `forward`; may return another result. */
export type ForwardHook<M = Module> = hooks.ForwardHook<M>;
/** Sees the gradients of arguments and results; may return others for the arguments. */
export type BackwardHook<M = Module> = hooks.BackwardHook<M>;

export abstract class Module {
  constructor() {
    registerModule(this);
    followCalls(Object.getPrototypeOf(this)); // minifiers move what is called once, and new.target with it, out of the constructor
  }

  /** Whether dropout drops and batch normalisation measures: true until `eval()`; `train()` switches it back. */
  get training(): boolean {
    return trainingOf(this);
  }
  set training(mode: boolean) {
    setTraining(this, mode);
  }

  static {
    markCopy(this);
    rootOfModules(this.prototype);
    findPartsBy((module) => partsOf(module as Module));
  }

  /** What is searched for state, with the names that keys are made of. Overridden where names are not those of fields. */
  fields(): Fields {
    return Object.entries(this).map(([name, value]) => [keyOf(name), value] as const);
  }

  /** Every parameter once, in PyTorch's order: a module's own, then those of its parts. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** Parameters with their keys; one that is shared appears under its first. */
  namedParameters(): [name: string, parameter: Parameter][] {
    const named = once(stateOf(this)).filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter);
    for (const [path, { storage }] of named) nameStorage(path, storage);
    return named;
  }

  buffers(): Buffer[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }

  namedBuffers(): [name: string, buffer: Buffer][] {
    return once(stateOf(this)).filter((entry): entry is [string, Buffer] => entry[1] instanceof Buffer);
  }

  /** This module and all modules in it, each once, with their paths. */
  namedModules(): [name: string, module: Module][] {
    const found = new Map<Module, string>();
    const visit = (module: Module, path: string): void => {
      if (found.has(module)) return;
      found.set(module, path);
      for (const [name, part] of partsOf(module)) visit(part, join(path, name));
    };
    visit(this, '');
    return [...found].map(([module, path]) => [path, module]);
  }

  /** Training mode, for this module and all in it. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Evaluation mode: batch normalisation uses its running statistics, dropout lets everything through. */
  eval(): this {
    return this.train(false);
  }

  /** Freezes (false) or frees (true) all parameters. PyTorch: requires_grad_. */
  requiresGrad_(flag = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(flag);
    return this;
  }

  /**
   * Calls `change` with every module in this one, the innermost first and itself last: for starting values, or switches. PyTorch:
   * Module.apply.
   *
   *     model.apply((m) => {
   *       if (m instanceof Linear) init.kaimingNormal_(m.weight);
   *     });
   */
  apply(change: (module: Module) => void): this {
    checkFunction('apply', change);
    const seen = new Set<Module>();
    const visit = (module: Module): void => {
      if (seen.has(module)) return;
      seen.add(module);
      for (const [, part] of partsOf(module)) visit(part);
      change(module);
    };
    visit(this);
    return this;
  }

  /** Calls `hook(module, inputs)` before each `forward`; it may return other arguments. PyTorch: register_forward_pre_hook. */
  registerForwardPreHook(hook: ForwardPreHook<this>): HookHandle {
    return hooks.addHook(this, 'before', hook);
  }

  /**
   * Calls `hook(module, inputs, output)` after each `forward`; it may return another output. PyTorch: register_forward_hook.
   *
   *     const handle = layer.registerForwardHook((_, inputs, output) => console.log(output));
   *     handle.remove();
   */
  registerForwardHook(hook: ForwardHook<this>): HookHandle {
    return hooks.addHook(this, 'after', hook);
  }

  /**
   * Calls `hook(module, gradInputs, gradOutputs)` when `backward()` has passed a call of `forward`; it may return other gradients of the
   * inputs. They are tensors to be read or kept like any other. A module none of whose inputs requires a gradient is reported with
   * gradInputs of undefined. PyTorch: register_full_backward_hook.
   */
  registerFullBackwardHook(hook: BackwardHook<this>): HookHandle {
    return hooks.addHook(this, 'backward', hook);
  }

  /**
   * A table of all modules with output shapes, parameters, multiply-adds and memory, for inputs given as tensors or as
   * shapes; `console.log` prints it. Nothing is computed, and nothing changes.
   *
   *     console.log(model.summary([1, 3, 224, 224]));
   */
  summary(...inputs: readonly (AnyTensor | Shape)[]): Summary {
    return summarise(this, inputs);
  }

  /**
   * How many input positions one output position depends on, per spatial dimension, for convolutions, pooling and what is
   * made of them. Throws ArgumentError for a module that does not say (`window`).
   *
   *     new Sequential(new Conv2d(3, 8, 3), new MaxPool2d(2)).receptiveField()   // size [4, 4], stride [2, 2]
   */
  receptiveField(): ReceptiveField {
    const window = this.window();
    if (window !== undefined) return window;
    throw new ArgumentError(
      `receptiveField: ${this.constructor.name} does not say what its outputs depend on. Override window(), or ask its parts.`,
    );
  }

  /** What one output position depends on; undefined where that is not a matter of positions. For `receptiveField`. */
  protected window(): ReceptiveField | undefined {
    return undefined;
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = undefined;
  }

  /** How many numbers are learned. */
  get parameterCount(): number {
    return this.parameters().reduce((total, p) => total + p.size, 0);
  }

  /**
   * All parameters and buffers under PyTorch's keys. These are the tensors themselves, not copies: training goes on
   * to change them.
   */
  stateDict(): StateDict {
    return Object.fromEntries(stateOf(this)) as StateDict;
  }

  /**
   * Overwrites parameters and buffers with those of `state`, converted to their dtypes. Throws a StateDictError that lists
   * all missing, unexpected and misshaped keys, and then changes nothing.
   */
  loadStateDict(state: Readonly<StateDict>, options: LoadOptions = {}): LoadResult {
    checkOptions('loadStateDict', options, LOAD_OPTIONS);
    checkRecord('loadStateDict', 'the state', state, 'tensors');
    for (const [key, value] of Object.entries(state)) checkTensor(value, 'loadStateDict', `'${key}'`);
    const own = new Map(stateOf(this));
    const missing = [...own.keys()].filter((key) => !Object.hasOwn(state, key));
    const unexpected = Object.keys(state).filter((key) => !own.has(key));
    const shared = [...own].filter(([key]) => Object.hasOwn(state, key));
    const misshaped = shared
      .filter(([key, { shape }]) => !sameShape(shape, state[key].shape))
      .map(([key, { shape }]) => `${key} (${formatShape(state[key].shape)} for ${formatShape(shape)})`);
    const strict = options.strict ?? true;
    if (misshaped.length > 0 || (strict && missing.length + unexpected.length > 0)) {
      throw new StateDictError(this.constructor.name, strict ? missing : [], strict ? unexpected : [], misshaped);
    }
    for (const [key, { device }] of shared) {
      if (state[key].device !== device) {
        throw new DeviceError(
          `loadStateDict: ${key} is on '${state[key].device}', the module on '${device}'. Move it with to('${device}').`,
        );
      }
    }
    const unit = inUnit(() => {
      for (const [key, tensor] of shared) {
        if (state[key] !== tensor) tensor.assign_(state[key].detach().to(tensor.dtype));
      }
    });
    runPending(unit);
    return { missing, unexpected };
  }

  /**
   * Converts parameters and buffers of real numbers to another dtype, in place; gradients are gone. Inputs have to be of the
   * same dtype then. Call it before an optimiser is made, whose state has the dtype of its parameters. `toDType`
   * does the same and gives a type that knows it. PyTorch: module.to.
   */
  to(dtype: FloatDType): this {
    if (!isFloat(dtype))
      throw new DTypeError(
        `to: ${shown(dtype)} is not a dtype that a module can have. Use 'float32', 'float64', 'float16' or 'bfloat16'.`,
        [String(dtype)],
      );
    for (const t of [...this.parameters(), ...this.buffers()] as AnyTensor[])
      if (isFloat(t.dtype) && t.dtype !== dtype) changeDType(t, dtype);
    lookAgain(this.namedModules().map(([, module]) => module));
    return this;
  }

  /** The module and its parts with their arguments, as PyTorch prints them. */
  toString(): string {
    const head = `${this.constructor.name}(${this.describe()}`;
    const parts = partsOf(this).map(([name, part]) => `  (${name}): ${part.toString().replaceAll('\n', '\n  ')}`);
    return parts.length === 0 ? `${head})` : `${head}\n${parts.join('\n')}\n)`;
  }

  /** The arguments that `toString` shows. */
  protected describe(): string {
    return '';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function keyOf(field: string): string {
  return /^[a-z]/.test(field) ? field.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase() : field;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/** Modules right below, those in containers included. */
function partsOf(module: Module): [name: string, part: Module][] {
  const parts: [string, Module][] = [];
  const open = new Set<object>();
  const visit = (name: string, value: unknown): void => {
    if (value instanceof Module) parts.push([name, value]);
    else if (isContainer(value) && !open.has(value)) {
      open.add(value);
      for (const [key, item] of Object.entries(value)) visit(join(name, key), item);
      open.delete(value);
    }
  };
  for (const [name, value] of module.fields()) visit(name, value);
  return parts;
}

/** State in the order of PyTorch's state dict: own parameters, own buffers, then parts. A shared tensor appears under each key. */
function stateOf(root: Module): [key: string, tensor: State][] {
  const found: [string, State][] = [];
  const open = new Set<object>([root]); // what is being visited: a part that points back to its owner ends there
  const visit = (fields: Fields, path: string): void => {
    const parameters: [string, State][] = [];
    const buffers: [string, State][] = [];
    const parts: [string, object][] = [];
    for (const [name, value] of fields) {
      const key = join(path, name);
      if (value instanceof Parameter) parameters.push([key, value]);
      else if (value instanceof Buffer) buffers.push([key, value]);
      else if (value instanceof Module || isContainer(value)) parts.push([key, value]);
      else refuseOtherCopy(key, value); // or it would be left out, and never learn
    }
    for (const own of [...parameters, ...buffers]) found.push(own);
    for (const [key, part] of parts) {
      if (open.has(part)) continue;
      open.add(part);
      visit(part instanceof Module ? part.fields() : Object.entries(part), key);
      open.delete(part);
    }
  };
  visit(root.fields(), '');
  return found;
}

function once(entries: readonly [string, State][]): [string, State][] {
  const seen = new Set<State>();
  return entries.filter(([, tensor]) => !seen.has(tensor) && seen.add(tensor));
}
