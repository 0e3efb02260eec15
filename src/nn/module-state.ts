// What a module is like at one time: its fields, those in its lists and plain objects included.
//   A Snapshot holds the values themselves, to be compared with the module's at each replay. An Outline knows only which ones they
//   were, so that one can be kept for every module without keeping anything alive.
// Must not know: the class Module, who looks and why.

import { Tensor } from '../tensor/tensor.js';

export type Fields = Record<string, unknown>;

/** Longer lists are not looked into: numbers, most likely. */
const LONGEST = 1000;

function isContainer(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.length <= LONGEST;
  return Object.getPrototypeOf(value) === Object.prototype;
}

function namesIn(holder: Fields): string[] {
  const names = Object.keys(holder);
  if (Array.isArray(holder)) names.push('length');
  return names;
}

/** Whether a module has a field, or something in its lists and plain objects, that is `wanted`. */
export function holdsSome(holder: object, wanted: (value: unknown) => boolean, open?: Set<object>): boolean {
  for (const name in holder) {
    const value = (holder as Fields)[name];
    if (typeof value !== 'object' || value === null) continue;
    if (wanted(value)) return true;
    if (!isContainer(value) || open?.has(value) === true) continue;
    if (holdsSome(value, wanted, (open ?? new Set<object>()).add(value))) return true;
  }
  return false;
}

const isOther = (value: unknown, before: unknown): boolean => (value === value ? value !== before : before === before); // NaN is as it was

export class Snapshot {
  readonly module: object;
  readonly isTraining: boolean;
  /** holders[i][names[i]] was values[i]. */
  private readonly holders: Fields[] = [];
  private readonly names: string[] = [];
  private readonly values: unknown[] = [];
  /** The tensors among them, and where their numbers were. */
  private readonly owners: Tensor[] = [];
  private readonly storages: Tensor['storage'][] = [];
  private readonly labels: string[] = [];

  constructor(module: object, isTraining: boolean) {
    this.module = module;
    this.isTraining = isTraining;
    this.add(module as Fields, new Set());
  }

  private add(holder: Fields, open: Set<object>): void {
    open.add(holder);
    for (const name of namesIn(holder)) {
      const value = holder[name];
      this.holders.push(holder);
      this.names.push(name);
      this.values.push(value);
      if (isContainer(value) && !open.has(value)) this.add(value, open);
      if (value instanceof Tensor) this.addStorage(name, value);
    }
  }

  /** Of a tensor that is converted (`to`) the numbers lie elsewhere. */
  private addStorage(name: string, t: Tensor): void {
    this.owners.push(t);
    this.storages.push(t.storage);
    this.labels.push(name);
  }

  /** The name of a field that is another one now. */
  changedField(): string | undefined {
    const { holders, names, values, owners, storages } = this;
    for (let i = 0; i < names.length; i++) if (isOther(holders[i][names[i]], values[i])) return names[i];
    for (let i = 0; i < owners.length; i++) if (owners[i].storage !== storages[i]) return this.labels[i];
    return undefined;
  }

  *objects(): Iterable<object> {
    for (const value of this.values) if (typeof value === 'object' && value !== null) yield value;
  }
}

/** Says of each value which one it is: the same for the same one, and nothing that keeps it alive. */
export type Identify = (value: unknown) => unknown;

export class Outline {
  private readonly names: readonly string[];
  private readonly identities: readonly unknown[];
  /** By position among the names, of lists and plain objects. */
  private inner: Map<number, Outline> | undefined;

  constructor(holder: object, identify: Identify, open?: Set<object>) {
    this.names = namesIn(holder as Fields);
    this.identities = this.names.map((name, i) => {
      const value = (holder as Fields)[name];
      if (isContainer(value) && open?.has(value) !== true)
        (this.inner ??= new Map()).set(i, new Outline(value, identify, (open ?? new Set<object>()).add(value)));
      return identify(value);
    });
  }

  /** The name of a field that is another one now. */
  changedField(holder: object, identify: Identify): string | undefined {
    for (let i = 0; i < this.names.length; i++) {
      const value = (holder as Fields)[this.names[i]];
      if (isOther(identify(value), this.identities[i])) return this.names[i];
      const inside = this.inner?.get(i)?.changedField(value as object, identify);
      if (inside !== undefined) return inside;
    }
    return undefined;
  }
}
