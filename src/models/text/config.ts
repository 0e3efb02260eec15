// transformers' config.json: its entries as options of a model here. What a model here cannot do is refused.

import { isRecord } from '../../io/json-file.js';
import { ArgumentError, FormatError, shown } from '../../tensor/library.js';

/** A config.json that was read. */
export class Config {
  readonly values: Readonly<Record<string, unknown>>;
  /** Of the file, for messages. */
  readonly name: string;

  constructor(values: Readonly<Record<string, unknown>>, name = 'config.json') {
    this.values = values;
    this.name = name;
  }

  get modelType(): string {
    return String(this.values['model_type']);
  }

  /** Names of transformers' classes; empty where the file has none. */
  get architectures(): readonly string[] {
    const list: unknown = this.values['architectures'];
    return Array.isArray(list) ? list.map(String) : [];
  }

  /** Is the entry there, even as null? */
  has(key: string): boolean {
    return Object.hasOwn(this.values, key);
  }

  /** An entry; null, which stands for the default, is undefined. */
  get(key: string): unknown {
    return this.values[key] ?? undefined;
  }

  /** Names of classes, by their numbers; empty where the file has none. */
  get labels(): readonly string[] {
    const names: unknown = this.values['id2label'];
    return isRecord(names) ? Object.values(names).map(String) : [];
  }

  number(key: string): number | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === 'number') return value;
    throw new FormatError(`fromPretrained: ${this.name} has ${key} ${shown(value)}, which is no number.`, this.name);
  }

  /** An entry that is an object of entries. */
  part(key: string): Config | undefined {
    const value = this.get(key);
    if (!isRecord(value)) return undefined;
    return new Config(value, this.name);
  }

  /** With entries under their present names, by their others: what has both keeps the present one. */
  renamed(names: Readonly<Record<string, string>>): Config {
    const moved = Object.entries(names).flatMap(([from, to]) =>
      Object.hasOwn(this.values, from) && !Object.hasOwn(this.values, to) ? [[to, this.values[from]] as const] : [],
    );
    return moved.length === 0 ? this : new Config({ ...this.values, ...Object.fromEntries(moved) }, this.name);
  }

  /** Throws unless the entry is one of `known`. */
  refuse(key: string, known: readonly unknown[]): void {
    const value = this.get(key);
    if (known.includes(value)) return;
    throw new ArgumentError(
      `fromPretrained: ${this.name} has ${key} ${shown(value)}, which nabla's ${this.modelType} does not have. ${key} can be ${known.filter((x) => x !== undefined).join(' or ')}.`,
    );
  }

  /**
   * The entries that are options, in camelCase: `n_embd` → nEmbd. Their values are checked where the model is made, as those of options
   * that a user writes are.
   */
  options<T extends object>(names: Readonly<Record<keyof T & string, true>>): T;
  options(names: Readonly<Record<string, true>>): object {
    const found: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(this.values)) {
      const name = key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
      if (Object.hasOwn(names, name) && value !== null) found[name] = value;
    }
    return found;
  }
}
