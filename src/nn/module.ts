// The base class of everything that holds parameters. A module is a plain class: its parameters are the tensors found in
// its own fields, in modules among them, and in arrays and plain objects of these. There is no registration.
//   Keys are the paths to the fields, as PyTorch writes them: `layer1.0.bn1.running_mean`. A field in camelCase appears
//   in snake_case (`runningMean` → `running_mean`); one that begins with a capital stays as it is.
//   Fields declared with `#` are invisible here: that is the place for tensors that are not to be saved.

import { ArgumentError, ShapeError, formatShape, runPending } from '../tensor/library.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';
import { isParameter } from './parameter.js';

export type StateDict = Record<string, AnyTensor>;

export interface LoadOptions {
  /** Throw if a key is missing or unexpected (the default). Shapes have to fit in any case. */
  readonly strict?: boolean;
}

export interface LoadResult {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

interface Entry {
  readonly key: string;
  readonly tensor: AnyTensor;
  readonly isParameter: boolean;
}

export abstract class Module {
  /** Whether dropout drops and batch normalisation measures. Switched by `train()` and `eval()`. */
  training = true;

  /** The parts that carry state, with the names that keys are made of. */
  protected fields(): Iterable<readonly [name: string, value: unknown]> {
    return Object.entries(this).map(([name, value]) => [keyOf(name), value] as const);
  }

  /** @internal */
  static fieldsOf(module: Module): Iterable<readonly [name: string, value: unknown]> {
    return module.fields();
  }

  /** Every parameter once, in PyTorch's order: a module's own, then those of its parts. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, tensor]) => tensor);
  }

  namedParameters(): [name: string, parameter: Tensor][] {
    const seen = new Set<AnyTensor>();
    const out: [string, Tensor][] = [];
    for (const entry of entriesOf(this)) {
      if (!entry.isParameter || seen.has(entry.tensor)) continue;
      seen.add(entry.tensor);
      out.push([entry.key, entry.tensor as Tensor]);
    }
    return out;
  }

  /** Stored tensors that are not trained, such as running statistics. */
  namedBuffers(): [name: string, buffer: AnyTensor][] {
    return entriesOf(this)
      .filter((entry) => !entry.isParameter)
      .map((entry) => [entry.key, entry.tensor]);
  }

  /** This module and all modules in it, each once, with their paths. */
  namedModules(): [name: string, module: Module][] {
    const out = new Map<Module, string>();
    const visit = (module: Module, path: string): void => {
      if (out.has(module)) return;
      out.set(module, path);
      for (const [name, child] of childrenOf(module)) visit(child, join(path, name));
    };
    visit(this, '');
    return [...out].map(([module, path]) => [path, module]);
  }

  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Freezes (false) or frees (true) all parameters. PyTorch: requires_grad_. */
  requiresGrad_(flag = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(flag);
    return this;
  }

  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = undefined;
  }

  /** Number of trained numbers. */
  get parameterCount(): number {
    return this.parameters().reduce((total, p) => total + p.size, 0);
  }

  /**
   * All parameters and buffers under PyTorch's keys. These are the tensors themselves, not copies: training goes on
   * to change them.
   */
  stateDict(): StateDict {
    return Object.fromEntries(entriesOf(this).map(({ key, tensor }) => [key, tensor]));
  }

  /**
   * Overwrites parameters and buffers with those of `dict`. Throws ArgumentError with all missing and unexpected keys,
   * ShapeError if shapes differ, and then changes nothing.
   */
  loadStateDict(dict: Readonly<Record<string, AnyTensor>>, options: LoadOptions = {}): LoadResult {
    const strict = options.strict ?? true;
    const entries = entriesOf(this);
    const known = new Set(entries.map((entry) => entry.key));
    const missing = [...known].filter((key) => !Object.hasOwn(dict, key));
    const unexpected = Object.keys(dict).filter((key) => !known.has(key));
    const fitting = entries.filter((entry) => Object.hasOwn(dict, entry.key));
    const misshaped = fitting.filter(({ key, tensor }) => formatShape(dict[key].shape) !== formatShape(tensor.shape));
    const faults = [
      ...misshaped.map(
        ({ key, tensor }) => `${key} is ${formatShape(dict[key].shape)}, here ${formatShape(tensor.shape)}`,
      ),
      ...(strict && missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
      ...(strict && unexpected.length > 0 ? [`unexpected: ${unexpected.join(', ')}`] : []),
    ];
    if (faults.length > 0) {
      const text = `loadStateDict: the state does not fit ${this.constructor.name}.\n  ${faults.join('\n  ')}`;
      if (misshaped.length === 0) throw new ArgumentError(`${text}\nPass { strict: false } to load what fits.`);
      throw new ShapeError(
        text,
        misshaped.flatMap(({ key, tensor }) => [dict[key].shape, tensor.shape]),
      );
    }
    for (const { key, tensor } of fitting) {
      if (dict[key] !== tensor) tensor.assign_(dict[key].detach().to(tensor.dtype));
    }
    runPending(); // gradients flow to stored parameters, not to values still to come
    return { missing, unexpected };
  }

  toString(): string {
    const children = childrenOf(this);
    const head = `${this.constructor.name}(${this.describe()}`;
    if (children.length === 0) return `${head})`;
    const lines = children.map(([name, child]) => `  (${name}): ${child.toString().replaceAll('\n', '\n  ')}`);
    return `${head}\n${lines.join('\n')}\n)`;
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
function childrenOf(module: Module): [string, Module][] {
  const out: [string, Module][] = [];
  const open = new Set<object>();
  const visit = (name: string, value: unknown): void => {
    if (value instanceof Module) out.push([name, value]);
    else if (isContainer(value) && !open.has(value)) {
      open.add(value);
      for (const [key, item] of Object.entries(value)) visit(join(name, key), item);
      open.delete(value);
    }
  };
  for (const [name, value] of Module.fieldsOf(module)) visit(name, value);
  return out;
}

/** Parameters and buffers in the order of PyTorch's state dict: own parameters, own buffers, then parts. */
function entriesOf(root: Module): Entry[] {
  const out: Entry[] = [];
  const open = new Set<object>(); // what is being visited: a part that points back to its owner ends there
  const visit = (fields: Iterable<readonly [string, unknown]>, path: string): void => {
    const parameters: Entry[] = [];
    const buffers: Entry[] = [];
    const parts: [string, Module | object][] = [];
    for (const [name, value] of fields) {
      const key = join(path, name);
      if (value instanceof Tensor) {
        if (isParameter(value)) parameters.push({ key, tensor: value as AnyTensor, isParameter: true });
        else if (value.isLeaf) buffers.push({ key, tensor: value as AnyTensor, isParameter: false });
      } else if (value instanceof Module || isContainer(value)) parts.push([key, value]);
    }
    out.push(...parameters, ...buffers);
    for (const [key, part] of parts) {
      if (open.has(part)) continue;
      open.add(part);
      visit(part instanceof Module ? Module.fieldsOf(part) : Object.entries(part), key);
      open.delete(part);
    }
  };
  open.add(root);
  visit(Module.fieldsOf(root), '');
  return out;
}
