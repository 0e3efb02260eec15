// Containers: modules made of modules.

import { cat } from '../tensor/functions.js';
import {
  ArgumentError,
  ShapeError,
  formatShape,
  refuseOtherCopy,
  sameShape,
  checkIterable,
  checkRecord,
  checkText,
  checkWhole,
  wrongKind,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { Layer } from './layer.js';
import { Module } from './module.js';
import { POINT, type ReceptiveField, follow, join } from './receptive-field.js';
import type { CheckSequential, ParallelFn, ResidualFn, SequentialFn } from './shape-types/containers.js';

interface Step {
  forward(x: AnyTensor): AnyTensor;
}

/** A module that `checkSteps` has let pass: what it takes is checked when it is called. */
export function stepOf(module: Module): Step {
  return module as Module & Step;
}

/** Throws unless each is a module that can be called. */
export function checkSteps(name: string, modules: readonly unknown[]): void {
  if (!Array.isArray(modules)) throw new ArgumentError(`${name}: the modules are not a list. Use new ${name}([…]).`);
  modules.forEach((module, i) => {
    refuseOtherCopy(name, module);
    if (!(module instanceof Module) || typeof (module as Partial<Step>).forward !== 'function') {
      throw new ArgumentError(`${name}: argument ${i} is not a module with a forward method.`);
    }
  });
}

function inRow(modules: readonly Module[]): ReceptiveField {
  return modules.reduce((field, module) => follow(field, module.receptiveField()), POINT);
}

/**
 * Modules one after the other. Neighbours that do not fit do not compile; what depends on the size of the input is
 * checked where `forward` is called. Names in the state dict are the positions: `0.weight`. PyTorch: nn.Sequential.
 *
 *     new Sequential(new Flatten(), new Linear(784, 128), new ReLU(), new Linear(128, 10))
 */
export class Sequential<Ms extends readonly Module[]> extends Layer<SequentialFn<readonly [...Ms]>> {
  readonly layers: readonly [...Ms];

  constructor(...modules: CheckSequential<Ms>) {
    super();
    this.layers = modules;
    checkSteps('Sequential', this.layers);
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return this.layers.map((layer, i) => [`${i}`, layer] as const);
  }

  protected compute(x: Tensor): Tensor {
    let out: AnyTensor = x;
    for (const module of this.layers) out = stepOf(module).forward(out);
    return out as Tensor;
  }

  protected override window(): ReceptiveField {
    return inRow(this.layers);
  }
}

/**
 * x + body(x), the modules of the body one after the other; a body that changes the shape needs a `shortcut` that does the
 * same (He et al. 2016). Names in the state dict: `body.0.weight`, `shortcut.weight`.
 *
 *     new Residual([new Linear(64, 64), new ReLU(), new Linear(64, 64)])
 *     new Residual([new Conv2d(16, 32, 3, { stride: 2, padding: 1 })], new Conv2d(16, 32, 1, { stride: 2 }))
 */
export class Residual<const Ms extends readonly Module[], Short extends Module | undefined = undefined> extends Layer<
  ResidualFn<readonly [...Ms], Short>
> {
  readonly body: readonly [...Ms];
  readonly shortcut: Short;

  constructor(body: CheckSequential<Ms>, shortcut?: Short) {
    super();
    this.body = body;
    this.shortcut = shortcut as Short;
    checkSteps('Residual', this.body);
    if (shortcut !== undefined) checkSteps('Residual', [shortcut]);
  }

  protected compute(x: Tensor): Tensor {
    let out: AnyTensor = x;
    for (const module of this.body) out = stepOf(module).forward(out);
    const past = this.shortcut === undefined ? x : stepOf(this.shortcut).forward(x);
    if (!sameShape(out.shape, past.shape)) {
      throw new ShapeError(
        `Residual: the body gives ${formatShape(out.shape)}, the shortcut ${formatShape(past.shape)}. Give a shortcut that changes the shape alike.`,
        [out.shape, past.shape],
      );
    }
    return past.add(out);
  }

  protected override window(): ReceptiveField {
    return join(inRow(this.body), this.shortcut === undefined ? POINT : this.shortcut.receptiveField());
  }
}

/**
 * Every branch gets the same input; the results are joined along a dimension, the channels by default (an inception block,
 * Szegedy et al. 2015). Names in the state dict are the positions: `0.weight`.
 *
 *     new Parallel([new Conv2d(3, 8, 1), new Conv2d(3, 16, 3, { padding: 1 })])   // [N, 3, H, W] → [N, 24, H, W]
 */
export class Parallel<const Ms extends readonly Module[], const Dim extends number = 1> extends Layer<
  ParallelFn<readonly [...Ms], Dim>
> {
  readonly branches: readonly [...Ms];
  readonly dim: number;

  constructor(branches: Ms, dim?: Dim) {
    super();
    this.branches = branches;
    this.dim = dim === undefined ? 1 : dim;
    checkWhole('Parallel', 'dim', this.dim, -Infinity);
    checkSteps('Parallel', this.branches);
    if (this.branches.length === 0) throw new ArgumentError('Parallel: no branches. Give at least one.');
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return this.branches.map((branch, i) => [`${i}`, branch] as const);
  }

  protected compute(x: Tensor): Tensor {
    const results = this.branches.map((branch) => stepOf(branch).forward(x));
    return cat(results as Tensor[], this.dim) as Tensor;
  }

  protected override window(): ReceptiveField {
    return this.branches.map((branch) => branch.receptiveField()).reduce(join);
  }
}

/**
 * A list of modules that a user's `forward` walks; parameters and keys (`0.weight`) are found in it. A plain array in a field
 * does the same. PyTorch: nn.ModuleList.
 */
export class ModuleList<M extends Module = Module> extends Module implements Iterable<M> {
  private readonly modules: M[];

  constructor(modules: Iterable<M> = []) {
    super();
    this.modules = [];
    this.extend(modules);
  }

  get length(): number {
    return this.modules.length;
  }

  /** The module at a position; a negative one counts from the end. */
  at(index: number): M {
    checkWhole('ModuleList', 'the position', index, -Infinity);
    const found = this.modules.at(index);
    if (found === undefined)
      throw new ArgumentError(`ModuleList: there is no module ${index}, the list has ${this.length}.`);
    return found;
  }

  append(module: M): this {
    refuseOtherCopy('ModuleList', module);
    if (!(module instanceof Module))
      throw wrongKind('ModuleList', `module ${this.length}`, module, 'Only modules can be in the list');
    this.modules.push(module);
    return this;
  }

  extend(modules: Iterable<M>): this {
    checkIterable('ModuleList', 'the argument', modules, 'modules: new ModuleList([…])');
    for (const module of modules) this.append(module);
    return this;
  }

  [Symbol.iterator](): IterableIterator<M> {
    return this.modules[Symbol.iterator]();
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return this.modules.map((module, i) => [`${i}`, module] as const);
  }
}

/**
 * Modules by name; parameters and keys (`name.weight`) are found in it. A plain object in a field does the same. PyTorch:
 * nn.ModuleDict.
 */
export class ModuleDict<M extends Module = Module> extends Module implements Iterable<[string, M]> {
  private readonly entries: [name: string, module: M][];

  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    this.entries = [];
    checkRecord('ModuleDict', 'the argument', modules, 'modules');
    for (const [name, module] of Object.entries(modules)) this.set(name, module);
  }

  get size(): number {
    return this.entries.length;
  }

  has(name: string): boolean {
    return this.entries.some(([own]) => own === name);
  }

  get(name: string): M {
    const found = this.entries.find(([own]) => own === name);
    if (found !== undefined) return found[1];
    checkText('ModuleDict', 'the name', name);
    const names = this.entries.map(([own]) => `'${own}'`).join(', ');
    throw new ArgumentError(`ModuleDict: there is no module '${name}', only ${names === '' ? 'none' : names}.`);
  }

  set(name: string, module: M): this {
    checkText('ModuleDict', 'the name', name);
    if (name === '' || name.includes('.'))
      throw new ArgumentError(`ModuleDict: '${name}' is not a name for a module. Use one without a dot.`);
    refuseOtherCopy('ModuleDict', module);
    if (!(module instanceof Module)) throw wrongKind('ModuleDict', `'${name}'`, module, 'Only modules can be in it');
    const found = this.entries.find(([own]) => own === name);
    if (found === undefined) this.entries.push([name, module]);
    else found[1] = module;
    return this;
  }

  [Symbol.iterator](): IterableIterator<[string, M]> {
    return this.entries[Symbol.iterator]();
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return this.entries;
  }
}
