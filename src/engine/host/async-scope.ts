// A value that belongs to one call and to all that it awaits, but not to what runs in between: which recording is under
// way, whether gradients are wanted. Hosts with AsyncLocalStorage (Node, Bun, Deno) tell the two apart. A browser cannot
// yet: there the value also holds for whatever else runs while the call waits, and `isExact` is false.
// Nothing is switched on while no call is open: AsyncLocalStorage makes every promise of the process slower.

interface LocalStorage<T> {
  run<R>(value: T, body: () => R): R;
  getStore(): T | undefined;
  disable(): void;
}

interface Host {
  readonly process?: {
    getBuiltinModule?: (name: string) => { AsyncLocalStorage?: new () => LocalStorage<unknown> } | undefined;
  };
}

function createLocalStorage<T>(): LocalStorage<T> | undefined {
  const { process } = globalThis as Host;
  const Kind = process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;
  return Kind && (new Kind() as LocalStorage<T>);
}

export class AsyncScope<T extends object> {
  private readonly local: LocalStorage<T> | undefined;
  /** The calls under way, without AsyncLocalStorage in the order in which they began. */
  private readonly open: T[] = [];

  /** `isExact: false` is for tests of what browsers do. */
  constructor({ isExact = true }: { readonly isExact?: boolean } = {}) {
    this.local = isExact ? createLocalStorage<T>() : undefined;
  }

  /** Whether `current` is right after an `await`, too. */
  get isExact(): boolean {
    return this.local !== undefined;
  }

  /** The value of the innermost call that this code belongs to. */
  current(): T | undefined {
    if (this.open.length === 0) return undefined;
    return this.local === undefined ? this.open[this.open.length - 1] : this.local.getStore();
  }

  /** Calls `body` with this value; if it returns a promise, the call ends when that is settled. */
  run<R>(value: T, body: () => R): R {
    this.open.push(value);
    let result: R;
    try {
      result = this.local === undefined ? body() : this.local.run(value, body);
    } catch (error) {
      this.leave(value);
      throw error;
    }
    if (isPromiseLike(result)) return result.then(...this.afterwards(value)) as R;
    this.leave(value);
    return result;
  }

  private afterwards(value: T): [(result: unknown) => unknown, (error: unknown) => never] {
    return [
      (result) => {
        this.leave(value);
        return result;
      },
      (error) => {
        this.leave(value);
        throw error;
      },
    ];
  }

  private leave(value: T): void {
    this.open.splice(this.open.lastIndexOf(value), 1);
    if (this.open.length === 0) this.local?.disable();
  }
}

/** A promise of this realm or another one. */
export function isPromiseLike(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
