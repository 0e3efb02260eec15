// Errors name the module of a network that met them by its path, once; so do those that come when the graph runs.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  IndexError,
  type NablaError,
  type Tensor,
  compile,
  ones,
  setDevice,
  tensor,
  zeros,
} from '../index.js';
import { Embedding, Linear, Module, ModuleList, ReLU, Sequential } from './index.js';

function errorOf(body: () => unknown): NablaError {
  try {
    body();
  } catch (error) {
    return error as NablaError;
  }
  throw new Error('nothing was thrown');
}

/** A module that hands its input to what it is given, with whatever it holds. */
class Calls extends Module {
  readonly held: Record<string, unknown>;
  readonly #run: (x: Tensor) => AnyTensor;
  constructor(held: Record<string, unknown>, run: (x: Tensor) => AnyTensor) {
    super();
    this.held = held;
    this.#run = run;
  }
  forward(x: Tensor): AnyTensor {
    return this.#run(x);
  }
}

const wide: Tensor = ones([2, 5]);

describe('an error while the graph is built', () => {
  const linear: { forward(x: Tensor): AnyTensor } & Module = new Linear(4, 3) as never; // refused when it is called

  test('names the path of the layer once, in a field and in the stack too', () => {
    const net = new Calls({ mainBody: [new ReLU(), linear] }, (x) => linear.forward(x));
    const error = errorOf(() => net.forward(wide));
    expect(error.message).toBe('in held.mainBody.1 (Linear): input [2, 5]: last dimension 5 is not inFeatures 4');
    expect(error.module).toBe('held.mainBody.1');
    expect(error.stack?.split('\n')[0]).toBe(`ShapeError: ${error.message}`);
    expect(error.stack).toContain('calls.test.ts');
  });

  test('names none for the module that was called itself', () => {
    const error = errorOf(() => linear.forward(wide));
    expect(error.message).toBe('Linear: input [2, 5]: last dimension 5 is not inFeatures 4');
    expect(error.module).toBeUndefined();
  });

  test('names the module whose own code met it, through levels and lists', () => {
    class Block extends Module {
      forward(x: Tensor): AnyTensor {
        return x.matmul(zeros([7, 7]) as Tensor);
      }
    }
    const block = new Block();
    const inner = new Calls({ blocks: new ModuleList([block]) }, (x) => block.forward(x));
    const error = errorOf(() => new Calls({ net: inner }, (x) => inner.forward(x)).forward(wide));
    expect(error.message).toMatch(/^in held\.net\.held\.blocks\.0 \(Block\): matmul: /);
  });

  test('a module that its caller does not hold leaves the path of the caller', () => {
    const uses = new Calls({}, (x) => linear.forward(x));
    expect(errorOf(() => new Calls({ uses }, (x) => uses.forward(x)).forward(wide)).message).toMatch(
      /^in held\.uses \(Calls\): Linear: input/,
    );
    expect(errorOf(() => uses.forward(wide)).message).toMatch(/^Linear: /);
  });

  test('forward of a parent class, hooks, and a call after one that failed', () => {
    class Twice extends Linear<4, 3> {
      override forward: Linear<4, 3>['forward'] = (x) => super.forward(x);
    }
    const twice: { forward(x: Tensor): AnyTensor } & Module = new Twice(4, 3) as never;
    const net = new Calls({ twice }, (x) => twice.forward(x));
    expect(errorOf(() => net.forward(wide)).module).toBe('held.twice');
    net.registerForwardHook(() => undefined);
    expect(errorOf(() => net.forward(wide)).module).toBe('held.twice');
    expect(errorOf(() => linear.forward(wide)).module).toBeUndefined();
  });

  test('errors that are not of nabla pass as they are', () => {
    const own = new Calls({}, () => {
      throw new RangeError('mine');
    });
    expect(errorOf(() => new Calls({ own }, (x) => own.forward(x)).forward(wide)).message).toBe('mine');
  });
});

describe.each(['reference', 'cpu'])('an error when the graph runs, %s', (device) => {
  beforeEach(() => setDevice(device));

  class Model extends Module {
    readonly tokenTable = new Embedding(5, 4);
    readonly head = new Sequential(new Linear(4, 2));
    forward(x: Tensor<[number], 'int32'>): Tensor<[number, 2]> {
      return this.head.forward(this.tokenTable.forward(x));
    }
  }
  const ids = (...numbers: number[]): Tensor<[number], 'int32'> => tensor(Int32Array.from(numbers));
  const text = 'in token_table (Embedding): index 7 is out of range for dimension 0 with size 5. Use 0 to 4.';

  test('names the path of the layer', async () => {
    const read = new Model().forward(ids(1, 7)).data();
    await expect(read).rejects.toThrow(text);
    await expect(read).rejects.toThrow(IndexError);
    await expect(read).rejects.toMatchObject({ module: 'token_table', index: 7, size: 5 });
    await expect(new Embedding(5, 4).forward(ids(-1)).data()).rejects.toThrow(
      'Embedding: index -1 is out of range for dimension 0 with size 5. Use 0 to 4.',
    );
  });

  test('the gradient alone names it', async () => {
    const model = new Model();
    model.forward(ids(1, 7)).sum().backward();
    await expect(model.tokenTable.weight.grad?.data()).rejects.toThrow(text);
  });

  test('replays of a compiled function name it', async () => {
    const model = new Model();
    const step = compile((x: Tensor<[number], 'int32'>) => model.forward(x));
    for (let i = 0; i < 3; i++) await (await step(ids(1, 4))).data();
    await expect(step(ids(1, 7)).then((y) => y.data())).rejects.toThrow(text);
  });
});
