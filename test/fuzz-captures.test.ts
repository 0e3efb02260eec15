// Random programs: modules, modes, freezes, options, numbers and tensors from outside, aliases, errors, disposals, hooks, and
// two loops at once. A program writes down what it reads; with `compile` it has to write the same as without.
// A failure prints the seed; NABLA_FUZZ_SEED starts there, NABLA_FUZZ_COUNT says how many to try.

import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import {
  type AnyTensor,
  type Tensor,
  compile,
  disposeDevices,
  manualSeed,
  noGrad,
  rand,
  realize,
  scalarTensor,
  setDevice,
  tensor,
} from 'nabla';
import { BatchNorm1d, Dropout, Linear, Module, Parameter, ReLU, Sequential, Tanh, crossEntropy } from 'nabla/nn';
import { Adam, AdamW, RMSprop, SGD } from 'nabla/optim';
import { generator } from './operators/case.js';

const FIRST = Number(process.env.NABLA_FUZZ_SEED ?? 1);
const COUNT = Number(process.env.NABLA_FUZZ_COUNT ?? 80);
const WIDTH = 3;
const ACTIONS = 14;

class Dice {
  private readonly next: () => number;
  constructor(seed: string) {
    this.next = generator(seed);
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  is(probability: number): boolean {
    return this.next() < probability;
  }
  /** Values in [-1, 1]. */
  matrix(rows: number): number[][] {
    return Array.from({ length: rows }, () => Array.from({ length: WIDTH }, () => this.next() * 2 - 1));
  }
}

// ---------------------------------------------------------------- modules of a program's own

class Scaled extends Module {
  readonly weight = new Parameter(tensor([1, 0.5, -1]));
  factor = 1;
  shift: Tensor | undefined = undefined;
  forward(x: Tensor): Tensor {
    const y = x.mul(this.weight).mul(this.factor) as Tensor;
    return this.shift === undefined ? y : (y.add(this.shift) as Tensor);
  }
}

class Branching extends Module {
  readonly parts: Module[];
  skip = true;
  constructor(parts: Module[]) {
    super();
    this.parts = parts;
  }
  forward(x: Tensor): Tensor {
    let y = x;
    for (const part of this.parts) y = forward(part, y);
    return this.skip ? (y.add(x) as Tensor) : y;
  }
}

/** Counts its calls, and computes with the count. */
class Counting extends Module {
  calls = 0;
  forward(x: Tensor): Tensor {
    this.calls++;
    return x.add(this.calls) as Tensor;
  }
}

function forward(module: Module, x: Tensor): Tensor {
  return (module as Module & { forward(x: Tensor): Tensor }).forward(x);
}

function createModule(dice: Dice, draws: boolean, depth = 0): Module {
  const kinds: (() => Module)[] = [
    () => new Linear(WIDTH, WIDTH),
    () => new Tanh(),
    () => new ReLU(),
    () => new BatchNorm1d(WIDTH),
    () => new Scaled(),
    ...(draws ? [() => new Dropout(0.4)] : []),
    ...(dice.is(0.1) ? [() => new Counting()] : []),
    ...(depth < 2
      ? [
          () => new Branching([createModule(dice, draws, depth + 1), createModule(dice, draws, depth + 1)]),
          () => new Sequential(createModule(dice, draws, depth + 1) as Linear<3, 3>, new Tanh()),
        ]
      : []),
  ];
  return dice.of(kinds)();
}

// ---------------------------------------------------------------- a program

type Step = (...args: Tensor[]) => Promise<Tensor>;
type Compiled = (fn: (...args: Tensor[]) => Tensor | Promise<Tensor>) => Step & { checkNext?(): void };

/** The functions that ask a variable whether to fail. */
const MAY_THROW = new Set([8, 9]);

/** One world of modules, an optimiser and functions, and what happens in it. */
class Program {
  readonly log: string[] = [];
  private readonly dice: Dice;
  private readonly waiting: Dice;
  private readonly net: Module;
  private readonly extra = new Linear(WIDTH, WIDTH);
  private readonly optimizer: SGD | Adam | AdamW | RMSprop;
  private readonly state = tensor([[1, 2, 3]]) as Tensor;
  private readonly functions: Step[];
  private readonly numeric: (Step & { checkNext?(): void })[];
  private beta = 1;
  private factor = 1;
  private outside = tensor([1, 1, 1]) as Tensor;
  private mayThrow = false;
  private last: Tensor = tensor([[1, 0, -1]]) as Tensor;
  private readonly waits: boolean;

  constructor(seed: string, compiled: Compiled, checked: Compiled, waits: boolean) {
    this.waits = waits;
    const dice = (this.dice = new Dice(seed));
    this.waiting = new Dice(`${seed} waits`); // apart: replays do not wait
    const draws = !waits; // the generator is one for all that runs at once
    this.net = new Branching([
      new Linear(WIDTH, WIDTH),
      ...Array.from({ length: 1 + dice.below(3) }, () => createModule(dice, draws)),
    ]);
    for (const [i, p] of [...this.net.parameters(), ...this.extra.parameters()].entries()) {
      const numbers = Float32Array.from({ length: p.size }, (_, j) => Math.sin(i * 7 + j));
      p.assign_(tensor(numbers as never, { shape: p.shape as number[] }) as never);
    }
    const params = this.net.parameters();
    this.optimizer = dice.of([
      () => new SGD(params, { lr: 0.05, momentum: dice.of([0, 0.9]) }),
      () => new Adam(params, { lr: 0.02 }),
      () => new AdamW(params, { lr: 0.02, amsgrad: dice.is(0.5) }),
      () => new RMSprop(params, { lr: 0.01 }),
    ])();
    const { net, optimizer, state } = this;
    const step = (clears: boolean) => async (x: Tensor, y: Tensor) => {
      if (clears) optimizer.zeroGrad();
      const loss = (forward(net, x).sub(y) as Tensor).square().mean() as Tensor;
      await this.between();
      loss.backward();
      await optimizer.step();
      return loss;
    };
    this.functions = [
      step(true),
      step(false),
      (x: Tensor) => forward(net, x),
      (x: Tensor, y: Tensor) => x.mul(10).sub(y) as Tensor,
      (x: Tensor) => {
        const loss = forward(net, x).square().sum() as Tensor;
        loss.backward();
        return loss;
      },
      async (x: Tensor) => noGrad(async () => (await this.between(), forward(net, x))),
      (x: Tensor) => {
        const next = x.mean(0, { keepdim: true }).add(state.mul(0.5)) as Tensor;
        state.assign_(next);
        return next.add(x) as Tensor;
      },
      (x: Tensor) => x.mul(scalarTensor(() => this.beta)) as Tensor,
      async (x: Tensor) => {
        optimizer.zeroGrad();
        const logits = forward(net, x);
        const labels = logits.argmax(1).add(this.mayThrow ? WIDTH : 0);
        const loss = crossEntropy(logits, labels as never) as Tensor;
        loss.backward();
        await optimizer.step();
        return loss;
      },
      (x: Tensor) => {
        if (this.mayThrow) throw new RangeError('asked for');
        return forward(this.extra, forward(net, x));
      },
      (x: Tensor) => net.parameters()[0].mul(x.mean()) as Tensor,
      (x: Tensor) => (net.eval(), forward(net, x)),
      ...(draws ? [(x: Tensor) => x.add(rand([WIDTH])) as Tensor] : []),
    ].map((fn, i) => (MAY_THROW.has(i) ? checked : compiled)(fn as never));
    // What they use from outside is asked for with a check.
    this.numeric = [
      (x: Tensor) => x.mul(this.factor) as Tensor,
      (x: Tensor) => x.mul(this.outside) as Tensor,
      (x: Tensor) => x.add(tensor([this.factor, 0, 1])) as Tensor,
    ].map((fn) => checked(fn));
  }

  /** Lets others run, where there are any. */
  private async between(): Promise<void> {
    if (this.waits) await new Promise((resolve) => setTimeout(resolve, this.waiting.below(2)));
  }

  async run(): Promise<void> {
    for (let i = 0; i < ACTIONS; i++) {
      await this.act();
      await this.between();
    }
    for (const t of [...this.net.parameters(), ...this.net.buffers(), this.state]) await this.write(t as AnyTensor);
  }

  /** Which gradients and draws an error leaves is not said: clear them, as a loop that goes on would. */
  private failed(error: unknown): void {
    this.log.push((error as Error).name);
    if (!this.waits) manualSeed(1);
    for (const p of [...this.net.parameters(), ...this.extra.parameters()]) p.grad = undefined;
  }

  private async write(t: AnyTensor | undefined): Promise<void> {
    if (t === undefined) return void this.log.push('undefined');
    try {
      this.log.push([...(await t.data())].map((v) => Number(v).toPrecision(9)).join(' '));
    } catch (error) {
      this.failed(error);
    }
  }

  private input(): Tensor {
    const { dice } = this;
    if (dice.is(0.15)) return this.state;
    if (dice.is(0.15)) return this.last;
    return tensor(dice.matrix(dice.of([2, 2, 3]))) as Tensor;
  }

  private async call(f: Step): Promise<void> {
    this.log.push(`call ${[...this.functions, ...this.numeric].indexOf(f)}`);
    const x = this.input();
    const y = this.dice.is(0.3) ? x : (tensor(this.dice.matrix(1)) as Tensor);
    try {
      const result = await f(x, y);
      await this.write(result);
      // A compiled function computes the gradients that it leaves; without it they wait, and may be overtaken.
      if (f === this.functions[4])
        for (const p of this.net.parameters())
          await realize(...((p.grad === undefined ? [] : [p.grad]) as AnyTensor[]));
      if (result.shape.length === 2) this.last = tensor((await result.array()) as number[][]) as Tensor;
      if (this.dice.is(0.1) && result !== this.state && result !== x) result[Symbol.dispose]();
    } catch (error) {
      this.failed(error);
    }
  }

  private async act(): Promise<void> {
    const { dice, net, optimizer } = this;
    const modules = net.namedModules().map(([, module]) => module);
    const parameters = net.parameters();
    if (dice.is(0.6)) return this.call(dice.of(this.functions));
    const changes: (() => unknown)[] = [
      () => dice.of(modules).train(dice.is(0.5)),
      () => net.train(dice.is(0.5)),
      () => dice.of(parameters).requiresGrad_(dice.is(0.5)),
      () => (optimizer.groups[0].lr = dice.of([0.01, 0.05, 0])),
      () => (optimizer.groups[0].weightDecay = dice.of([0, 0.1])),
      () => optimizer.groups.length === 1 && optimizer.addParamGroup({ params: this.extra.parameters() as Tensor[] }),
      () => optimizer.zeroGrad(),
      () => (this.beta = dice.below(5)),
      () => {
        this.mayThrow = !this.mayThrow;
        for (const i of MAY_THROW) (this.functions[i] as ReturnType<Compiled>).checkNext?.();
      },
      () => this.write(dice.of(parameters).grad as AnyTensor | undefined),
      () => dice.of(parameters).grad === undefined,
      () => this.write(dice.of(parameters) as AnyTensor),
      () => {
        this.state.assign_(this.state.mul(dice.of([1, 0.5])) as never);
        return realize(); // or a step that reads it and fails takes it along
      },
      () => {
        for (const module of modules) {
          if (module instanceof Scaled) {
            if (dice.is(0.5)) module.factor = dice.of([1, 2, -1]);
            else module.shift = dice.is(0.5) ? (tensor([1, 2, 3]) as Tensor) : undefined;
          }
          if (module instanceof Branching && dice.is(0.3)) module.skip = !module.skip;
          if (module instanceof Branching && dice.is(0.1)) module.parts.push(new Tanh());
          if (module instanceof Dropout) (module as { p: number }).p = dice.of([0, 0.5]);
        }
      },
      () => {
        let calls = 0;
        const handle = dice.of(modules).registerForwardHook(() => void calls++);
        return this.call(this.functions[2]).then(() => {
          this.log.push(`hook: ${calls}`);
          handle.remove();
        });
      },
      () => {
        this.factor = dice.below(4);
        this.outside = tensor([dice.below(3), 1, 1]) as Tensor;
        const f = dice.of(this.numeric);
        f.checkNext?.();
        return this.call(f);
      },
      () => {
        const x = tensor(dice.matrix(2)) as Tensor;
        x[Symbol.dispose]();
        return this.functions[3](x, x).then(
          (t) => this.write(t),
          (error: Error) => this.failed(error),
        );
      },
      () => (this.waits ? undefined : manualSeed(dice.below(100))),
    ];
    const number = dice.below(changes.length);
    this.log.push(`change ${number}`);
    await changes[number]();
  }
}

/** Computes the result before it returns, as a compiled function does. */
const plain: Compiled =
  (fn) =>
  async (...args) => {
    const result = (await fn(...args)).detach();
    await realize(result);
    return result;
  };
const captured: Compiled = (fn) => compile(fn as never, { onDifference: () => {} }) as never;
const unchecked: Compiled = (fn) => compile(fn as never, { onDifference: () => {}, check: false }) as never;

/** What programs write down, all at once or one after the other. */
async function logsOf(seed: string, compiled: Compiled, checked: Compiled, count: number, atOnce: boolean) {
  const logs: Promise<string[]>[] = [];
  for (let i = 0; i < count; i++) {
    manualSeed(5);
    const program = new Program(`${seed}.${i}`, compiled, checked, count > 1);
    const log = program.run().then(() => program.log);
    logs.push(log);
    if (!atOnce) await log;
  }
  return Promise.all(logs);
}

/** Kernels that are fused otherwise round otherwise: numbers are alike within 1e-5 of their size, or of 0.01 where they are smaller. */
const RELATIVE = 1e-5;
const NUMBER = /^-?[\d.]+(?:e[+-]\d+)?$/;

/** What is expected, in the words of what came wherever they say the same. */
function alike(expected: string[], actual: string[] | undefined): string[] {
  return expected.map((line, i) => {
    const [wanted, found] = [line.split(' '), (actual?.[i] ?? '').split(' ')];
    const same = (a: string, b: string) =>
      a === b || (NUMBER.test(a) && NUMBER.test(b) && Math.abs(+a - +b) <= RELATIVE * Math.max(Math.abs(+a), 0.01));
    return wanted.length === found.length && wanted.every((word, k) => same(word, found[k])) ? found.join(' ') : line;
  });
}

beforeAll(() => setDevice('cpu'));
afterAll(() => disposeDevices());
afterEach(() => vi.restoreAllMocks());

test(`${COUNT} random programs do the same with compile as without`, async () => {
  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    const isCheckedSometimes = seed % 2 === 0;
    const count = seed % 4 === 3 && process.env.NABLA_FUZZ_ALONE === undefined ? 2 : 1;
    const name = `captures ${seed}`;
    const expected = await logsOf(name, plain, plain, count, false);
    const actual = await logsOf(name, isCheckedSometimes ? captured : unchecked, captured, count, true);
    expect(actual, `seed ${seed}: NABLA_FUZZ_SEED=${seed} NABLA_FUZZ_COUNT=1`).toEqual(
      expected.map((log, i) => alike(log, actual[i])),
    );
  }
}, 900_000);
