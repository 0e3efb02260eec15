// From drafts to the nodes and initialisers of a file. Drafts of several traces, with other sizes of the inputs, are compared: what
// differs among them is computed in the graph from the sizes it gets.

import { type Node, storageOf, tensorOf } from '../../tensor/graph-trace.js';
import type { DType } from '../../tensor/library.js';
import type { OnnxProblem } from '../error.js';
import { type ElementType, rowOf } from '../wire/elements.js';
import type { AttributeOut, NodeOut, TensorOut } from '../wire/writer.js';
import type { DraftNode, Input, Made } from './draft.js';
import { type Free, type Linear, type Product, linearIn, productIn } from './sizes.js';

/** An initialiser whose numbers are still on a device. */
type Pending = { readonly node: Node } | Made;

type Attributes = Readonly<Record<string, AttributeOut>>;

export class Finisher {
  readonly nodes: NodeOut[] = [];
  readonly problems: OnnxProblem[] = [];
  private readonly free: readonly Free[];
  private readonly keys: ReadonlyMap<object, string>;
  private readonly ready = new Map<string, TensorOut>();
  private readonly pending = new Map<string, Pending>();
  private readonly nameOf = new Map<object, string>();
  private readonly computed = new Map<string, string>();
  private readonly taken: ReadonlySet<string>;
  private constants = 0;

  /** `keys`: of parameters and buffers by their storage; `taken`: names that the caller has given. */
  constructor(free: readonly Free[], keys: ReadonlyMap<object, string>, taken: Iterable<string>) {
    this.free = free;
    this.keys = keys;
    this.taken = new Set([...keys.values(), ...taken]);
  }

  /** The same node of all drafts. */
  add(drafts: readonly DraftNode[]): void {
    const [first] = drafts;
    const isSame = drafts.every(
      (other) =>
        other.op === first.op &&
        other.inputs.length === first.inputs.length &&
        other.name === first.name &&
        JSON.stringify(other.attributes) === JSON.stringify(first.attributes),
    );
    if (!isSame)
      return this.refuse(first, 'what it does depends on a size that may be any. Give this size as a number');
    const inputs = first.inputs.map((_, i) =>
      this.resolve(
        first,
        drafts.map(({ inputs: given }) => given[i]),
      ),
    );
    this.nodes.push({ ...first, inputs });
  }

  private refuse({ name, op }: DraftNode, why: string): void {
    this.problems.push({ node: name, operator: op, opset: undefined, why });
  }

  /** The name of what all drafts have here. */
  private resolve(node: DraftNode, given: readonly Input[]): string {
    const [first] = given;
    if (typeof first === 'string') return first;
    const others = given.map((input) => (typeof input === 'object' && input.kind === first.kind ? input : undefined));
    const why = 'a number in it depends on a size that may be any, and not as a multiple. Give this size as a number';
    const same = others.filter((input) => input !== undefined);
    if (same.length === given.length) {
      const name = this.resolveObjects(first, same);
      if (name !== undefined) return name;
    }
    this.refuse(node, why);
    return '';
  }

  private resolveObjects(first: Exclude<Input, string>, all: readonly Exclude<Input, string>[]): string | undefined {
    const of = <K extends Exclude<Input, string>['kind']>(kind: K) =>
      all.filter((input): input is Extract<Exclude<Input, string>, { kind: K }> => input.kind === kind);
    switch (first.kind) {
      case 'number':
        return this.numberNamed(
          of('number').map(({ value }) => value),
          first.dtype,
        );
      case 'sizes':
        return this.sizesNamed(
          of('sizes').map(({ sizes }) => sizes),
          first.isShape,
        );
      case 'count':
        return this.countNamed(of('count').map(({ size }) => size));
      case 'weight':
        return of('weight').every(({ node }) => node.shape.join() === first.node.shape.join())
          ? this.weightNamed(first.node)
          : undefined;
      case 'made':
        this.pending.set(first.name, first);
        return first.name;
    }
  }

  private numbered(what: string): string {
    let name = `${what}_${this.constants++}`;
    while (this.taken.has(name)) name = `${what}_${this.constants++}`;
    return name;
  }

  private constant(dims: readonly number[], type: ElementType, numbers: readonly number[]): string {
    const key = `${type} ${dims.join()} ${numbers.map((n) => (Object.is(n, -0) ? '-0' : n)).join()}`;
    let name = this.computed.get(key);
    if (name === undefined) {
      name = this.numbered('constant');
      this.computed.set(key, name);
      this.ready.set(name, { name, type: rowOf(type).code, dims, raw: rawOf(type, numbers) });
    }
    return name;
  }

  private node(op: string, name: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const output = `/${name}`;
    this.nodes.push({ op, name: `${output}/${op}`, inputs, outputs: [output], attributes });
    return output;
  }

  /** A free size as a list of one number. */
  private sizeNamed({ name, input, axis }: Free): string {
    return this.once(`size ${name}`, () => {
      const shape = this.node('Shape', `${name}/shape`, [input]);
      return this.node('Gather', name, [shape, this.constant([1], 'int64', [axis])], { axis: { int: 0 } });
    });
  }

  private once(key: string, make: () => string): string {
    let name = this.computed.get(key);
    if (name === undefined) this.computed.set(key, (name = make()));
    return name;
  }

  /** What these numbers of the traces are, computed from the free sizes, as a list of one number. */
  private formulaNamed(values: readonly number[]): string | undefined {
    const linear = linearIn(values, this.free);
    if (linear !== undefined) return this.linearNamed(linear);
    const product = productIn(values, this.free);
    return product === undefined ? undefined : this.productNamed(product);
  }

  private productNamed({ factor, powers }: Product): string {
    const names = powers.flatMap(({ free, power }) => new Array<Free>(power).fill(free));
    const text = [...names.map(({ name }) => name), ...(factor === 1 ? [] : [factor])].join('_x_');
    return this.once(`product ${text}`, () => {
      const parts = names.map((free) => this.sizeNamed(free));
      if (factor !== 1) parts.push(this.constant([1], 'int64', [factor]));
      return parts.reduce((product, part, i) => this.node('Mul', `${text}/product_${i}`, [product, part]));
    });
  }

  private linearNamed({ base, terms }: Linear): string {
    if (terms.length === 0) return this.constant([1], 'int64', [base]);
    const text = [...terms.map(({ free, factor }) => `${free.name}_x_${factor}`), base].join('_plus_');
    return this.once(`linear ${text}`, () => {
      const parts = terms.map(({ free, factor }) => {
        const size = this.sizeNamed(free);
        if (factor === 1) return size;
        return this.node('Mul', `${text}/${free.name}`, [size, this.constant([1], 'int64', [factor])]);
      });
      if (base !== 0) parts.push(this.constant([1], 'int64', [base]));
      return parts.reduce((sum, part, i) => this.node('Add', `${text}/sum_${i}`, [sum, part]));
    });
  }

  private sizesNamed(all: readonly (readonly number[])[], isShape: boolean): string | undefined {
    const [first] = all;
    if (all.some((list) => list.length !== first.length)) return undefined;
    const columns = first.map((_, i) => all.map((list) => list[i]));
    const varying = columns.filter((column) => column.some((n) => n !== column[0]));
    if (varying.length === 0) return this.constant([first.length], 'int64', first);
    if (isShape && varying.length === 1 && first.every((n) => n !== 0)) {
      const open = columns.map((column) => (column === varying[0] ? -1 : column[0]));
      return this.constant([first.length], 'int64', open);
    }
    const parts = columns.map((column) => this.formulaNamed(column)).filter((part) => part !== undefined);
    if (parts.length < columns.length) return undefined;
    if (parts.length === 1) return parts[0];
    const key = parts.join('|');
    return this.once(`shape ${key}`, () =>
      this.node('Concat', `shape_${this.constants++}`, parts, { axis: { int: 0 } }),
    );
  }

  private numberNamed(values: readonly number[], dtype: DType): string | undefined {
    const type = dtype as ElementType;
    if (values.every((value) => Object.is(value, values[0]))) return this.constant([], type, [values[0]]);
    const size = this.formulaNamed(values);
    if (size === undefined) return undefined;
    return this.once(`number ${dtype} ${size}`, () => {
      const alone = this.node('Squeeze', `number_${this.constants++}`, [size]);
      return this.node('Cast', `number_${this.constants++}`, [alone], { to: { int: rowOf(type).code } });
    });
  }

  private countNamed(all: readonly number[]): string | undefined {
    const [size] = all;
    if (all.every((n) => n === size))
      return this.constant(
        [size],
        'int32',
        Array.from({ length: size }, (_, i) => i),
      );
    const end = this.numberNamed(all, 'int32');
    if (end === undefined) return undefined;
    return this.once(`count ${end}`, () =>
      this.node('Range', `count_${this.constants++}`, [
        this.constant([], 'int32', [0]),
        end,
        this.constant([], 'int32', [1]),
      ]),
    );
  }

  /** A parameter under its key; another tensor that forward uses as a constant. */
  private weightNamed(node: Node): string {
    const storage = storageOf(node) ?? node;
    let name = this.nameOf.get(storage);
    if (name === undefined) {
      name = this.keys.get(storage) ?? this.numbered('tensor');
      this.nameOf.set(storage, name);
      this.pending.set(name, { node });
    }
    return name;
  }

  /** A value that is no node's result, such as a parameter that forward returns, by its name. */
  value(given: readonly Input[], name: string): string {
    return this.resolve({ op: 'Identity', name, inputs: [], outputs: [], attributes: {} }, given);
  }

  /** The sizes of a result: numbers, and names of what may be any. */
  dims(all: readonly (readonly number[])[], name: string): (number | string)[] {
    return all[0].map((size, i) => {
      const linear = linearIn(
        all.map((shape) => shape[i]),
        this.free,
      );
      if (linear === undefined) return `${name}_size_${i}`;
      if (linear.terms.length === 0) return size;
      const [{ free, factor }] = linear.terms;
      return linear.terms.length === 1 && factor === 1 && linear.base === 0 ? free.name : `${name}_size_${i}`;
    });
  }

  /** Those initialisers that are read, with their numbers. */
  async initializers(used: ReadonlySet<string>): Promise<TensorOut[]> {
    const found: TensorOut[] = [];
    for (const [name, pending] of this.pending) {
      if (!used.has(name)) continue;
      if ('node' in pending) found.push(await storedTensor(name, pending.node));
      else {
        const numbers = await Promise.all(pending.from.map((t) => t.data()));
        const list = pending.make(numbers as readonly ArrayLike<number>[]);
        const type = pending.from[0].dtype as ElementType;
        found.push({ name, type: rowOf(type).code, dims: pending.dims, raw: rawOf(type, list) });
      }
    }
    for (const [name, tensor] of this.ready) if (used.has(name)) found.push(tensor);
    return found;
  }
}

async function storedTensor(name: string, node: Node): Promise<TensorOut> {
  const type = node.dtype as ElementType;
  const numbers = await tensorOf(node).data();
  return { name, type: rowOf(type).code, dims: node.shape, raw: rawOf(type, numbers as ArrayLike<number>) };
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Numbers as the file holds them. */
export function rawOf(type: ElementType, numbers: ArrayLike<number>): Uint8Array {
  const { bytes, write } = rowOf(type);
  if (isLittleEndian && type === 'float32') return new Uint8Array(Float32Array.from(numbers).buffer);
  const raw = new Uint8Array(numbers.length * bytes);
  for (let i = 0; i < numbers.length; i++) write(new DataView(raw.buffer, i * bytes, bytes), numbers[i]);
  return raw;
}
