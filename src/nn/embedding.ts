// Rows of a table by their numbers: one for each index (Embedding), or a sum, mean or maximum for each bag of them (EmbeddingBag).

import { scatterReduce } from '../functions/scatter-reduce.js';
import { arange, ones, zeros } from '../tensor/creation.js';
import { customOp } from '../tensor/custom-op.js';
import { embedding, where } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import {
  ArgumentError,
  checkChoice,
  checkOptions,
  DTypeError,
  formatShape,
  nameIndices,
  type OptionNames,
  sameShape,
  ShapeError,
  shown,
} from '../tensor/library.js';
import type { Shape } from '../tensor/shape-types/shape.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import * as init from './init.js';
import { Layer, checkCount } from './layer.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';
import type { EmbeddingFn } from './shape-types/last-dimension.js';

type Index = Tensor<Shape, 'int32'>;

export interface EmbeddingOptions {
  /** A row that starts at 0 and takes no gradient, for padding; a negative one counts from the end. */
  readonly paddingIdx?: number;
  /** Rows that are looked up and whose norm is larger are scaled to it, in the table itself, before they are read. Default: none are. */
  readonly maxNorm?: number;
  /** p of that norm; Infinity for the largest element. Default 2. */
  readonly normType?: number;
  /** The gradient of a row is divided by how often the row is looked up. Default false. */
  readonly scaleGradByFreq?: boolean;
}

const EMBEDDING_OPTIONS: OptionNames<EmbeddingOptions> = {
  paddingIdx: true,
  maxNorm: true,
  normType: true,
  scaleGradByFreq: true,
};

function checkTable(name: string, count: number, dim: number, options: EmbeddingOptions): number | undefined {
  const { paddingIdx, maxNorm, normType = 2 } = options;
  checkCount(count, 1, `${name}: count`);
  checkCount(dim, 1, `${name}: dim`);
  for (const [what, value] of Object.entries({ maxNorm, normType }))
    if (value !== undefined && !(typeof value === 'number' && value > 0))
      throw new ArgumentError(`${name}: ${what} is ${shown(value)}. Use a number above 0.`);
  const row = paddingIdx !== undefined && paddingIdx < 0 ? paddingIdx + count : paddingIdx;
  if (row !== undefined && !(Number.isInteger(row) && row >= 0 && row < count))
    throw new ArgumentError(
      `${name}: paddingIdx is ${shown(paddingIdx)}. Use a whole number from ${-count} to ${count - 1}.`,
    );
  return row;
}

function newTable<Dim extends number>(count: number, dim: Dim, padding: number | undefined): Parameter<[number, Dim]> {
  const weight = new Parameter<[number, Dim]>(init.normal([count, dim]));
  if (padding !== undefined) weight.assign_(where(arange(count).eq(padding).unsqueeze(1), 0, weight));
  return weight;
}

function checkIndex(name: string, index: AnyTensor): void {
  if (index.dtype === 'int32') return;
  throw new DTypeError(`${name}: index is ${index.dtype}, indices are int32. Convert with to('int32').`, [index.dtype]);
}

interface Table {
  readonly weight: Parameter<[number, number]>;
  readonly paddingIdx: number | undefined;
  readonly maxNorm: number | undefined;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
}

/** The rows [..., dim]; what the options say about the table and its gradient is done. */
function lookUp(name: string, table: Table, index: Index): Tensor {
  const { weight, paddingIdx, maxNorm, scaleGradByFreq } = table;
  if (maxNorm !== undefined && index.size > 0) renormalise(name, table, index, maxNorm);
  const found = nameIndices(`${name}: index`, () => embedding(weight, index)) as Tensor;
  const rows = scaleGradByFreq ? byFrequency(found, index, weight.shape[0]) : found;
  if (paddingIdx === undefined) return rows;
  return where(index.eq(paddingIdx).unsqueeze(-1), rows.detach(), rows) as Tensor;
}

/** As torch.embedding_renorm_: only the rows that are looked up. */
function renormalise(name: string, { weight, normType }: Table, index: Index, maxNorm: number): void {
  withoutGrad(() => {
    const flat = index.reshape([index.size]) as Index;
    const rows = nameIndices(`${name}: index`, () => embedding(weight, flat)) as Tensor;
    const norm = rows.norm(normType, 1, { keepdim: true }) as Tensor;
    const scale = where(norm.gt(maxNorm), norm.add(1e-7).reciprocal().mul(maxNorm), 1) as Tensor;
    weight.assignAt_([flat], rows.mul(scale) as AnyTensor);
  });
}

/** The same rows; the gradient of each is divided by how often its index is there. */
function byFrequency(rows: Tensor, index: Index, count: number): Tensor {
  const flat = index.reshape([index.size]) as Index;
  const counts = zeros([count]).scatterAdd(0, flat, ones([index.size]) as Tensor);
  const times = counts.gather(0, flat).reshape([...index.shape, 1] as Shape) as Tensor;
  const scaled = customOp({
    name: 'scaleGradByFreq',
    forward: (_ctx, x: Tensor) => x,
    backward: (_ctx, gradient) => [gradient.div(times.to(gradient.dtype)) as AnyTensor],
  });
  return scaled(rows) as Tensor;
}

function described({ weight, paddingIdx, maxNorm }: Table): string {
  const options = { paddingIdx, maxNorm };
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${weight.shape.join(', ')}${given.length === 0 ? '' : `, { ${given.join(', ')} }`}`;
}

/**
 * index [...] (int32) → rows of a table [..., dim]; weight [count, dim] starts normal with variance 1. An index outside
 * 0 … count − 1 is an IndexError when the result is computed. With `maxNorm` the table changes when it is read. PyTorch: nn.Embedding.
 */
export class Embedding<const Dim extends number> extends Layer<EmbeddingFn<Dim>, 'int32'> {
  readonly weight: Parameter<[number, Dim]>;
  readonly paddingIdx: number | undefined;
  readonly maxNorm: number | undefined;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;

  constructor(count: number, dim: Dim, options: EmbeddingOptions = {}) {
    checkOptions(new.target.name, options, EMBEDDING_OPTIONS);
    super();
    this.paddingIdx = checkTable('Embedding', count, dim, options);
    this.weight = newTable(count, dim, this.paddingIdx);
    this.maxNorm = options.maxNorm;
    this.normType = options.normType ?? 2;
    this.scaleGradByFreq = options.scaleGradByFreq ?? false;
  }

  protected compute(index: Index): Tensor {
    checkIndex('Embedding', index);
    return lookUp('Embedding', this, index);
  }

  protected override describe(): string {
    return described(this);
  }
}

export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** What a bag's rows become: their 'sum', 'mean' or 'max'. Default 'mean'. */
  readonly mode?: 'sum' | 'mean' | 'max';
  /** The last of the offsets is where the last bag ends, instead of where one begins. Default false. */
  readonly includeLastOffset?: boolean;
}

const EMBEDDING_BAG_OPTIONS: OptionNames<EmbeddingBagOptions> = {
  ...EMBEDDING_OPTIONS,
  mode: true,
  includeLastOffset: true,
};

/**
 * Bags of indices → one vector each: index [N, L] (int32) → [N, dim], a bag a row; or index [L] with `offsets` [N], the position at which each
 * bag begins. An empty bag gives 0; `paddingIdx` counts for nothing. `perSampleWeights` of the index's shape are factors of the rows, with
 * mode 'sum'. Equal maxima share the gradient. PyTorch: nn.EmbeddingBag.
 */
export class EmbeddingBag<const Dim extends number> extends Module {
  readonly weight: Parameter<[number, Dim]>;
  readonly mode: 'sum' | 'mean' | 'max';
  readonly includeLastOffset: boolean;
  readonly paddingIdx: number | undefined;
  readonly maxNorm: number | undefined;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;

  constructor(count: number, dim: Dim, options: EmbeddingBagOptions = {}) {
    checkOptions(new.target.name, options, EMBEDDING_BAG_OPTIONS);
    super();
    const { mode = 'mean', includeLastOffset = false } = options;
    checkChoice('EmbeddingBag', 'mode', mode, ['sum', 'mean', 'max']);
    this.paddingIdx = checkTable('EmbeddingBag', count, dim, options);
    this.weight = newTable(count, dim, this.paddingIdx);
    this.mode = mode;
    this.includeLastOffset = includeLastOffset;
    this.maxNorm = options.maxNorm;
    this.normType = options.normType ?? 2;
    this.scaleGradByFreq = options.scaleGradByFreq ?? false;
  }

  forward(index: Index, offsets?: Tensor<[number], 'int32'>, perSampleWeights?: Tensor): Tensor<[number, Dim]> {
    const name = this.constructor.name;
    checkTensor(index, name, 'the index');
    checkIndex(name, index);
    if (perSampleWeights !== undefined) {
      checkTensor(perSampleWeights, name, 'perSampleWeights');
      if (this.mode !== 'sum')
        throw new ArgumentError(`${name}: perSampleWeights go with mode 'sum', not '${this.mode}'.`);
      if (!sameShape(perSampleWeights.shape, index.shape))
        throw new ShapeError(
          `${name}: perSampleWeights ${formatShape(perSampleWeights.shape)} do not have the shape of the index ${formatShape(index.shape)}`,
          [perSampleWeights.shape, index.shape],
        );
    }
    const { bags, count } = this.bagsOf(index, offsets);
    const flat = index.reshape([index.size]) as Index;
    const found = lookUp(name, this, flat);
    const isIn = this.paddingIdx === undefined ? undefined : (flat.ne(this.paddingIdx) as Tensor<Shape, 'bool'>);
    const factors = perSampleWeights?.reshape([flat.size, 1]) as Tensor | undefined;
    return joined(
      this.mode,
      factors === undefined ? found : (found.mul(factors) as Tensor),
      bags,
      count,
      isIn,
    ) as Tensor<[number, Dim]>;
  }

  /** For each index, flattened, the number of its bag. */
  private bagsOf(index: Index, offsets: Tensor<[number], 'int32'> | undefined): { bags: Index; count: number } {
    const name = this.constructor.name;
    if (index.rank === 2) {
      if (offsets !== undefined)
        throw new ArgumentError(
          `${name}: index ${formatShape(index.shape)} has a bag in each row, and takes no offsets.`,
        );
      const [count, length] = index.shape;
      const rows = arange(count)
        .unsqueeze(1)
        .expand([count, length] as Shape);
      return { bags: rows.reshape([count * length]) as Index, count };
    }
    if (index.rank !== 1 || offsets === undefined)
      throw new ShapeError(`${name}: index ${formatShape(index.shape)}: needs [N, L], or [L] with offsets [N]`, [
        index.shape,
      ]);
    checkTensor(offsets, name, 'the offsets');
    checkIndex(`${name}: offsets`, offsets);
    if (offsets.rank !== 1 || (this.includeLastOffset && offsets.size === 0))
      throw new ShapeError(`${name}: offsets ${formatShape(offsets.shape)}: needs [N]`, [offsets.shape]);
    const count = this.includeLastOffset ? offsets.size - 1 : offsets.size;
    const starts = offsets.slice(0, 0, count).reshape([1, count] as Shape) as Index;
    const places = arange(index.size).reshape([index.size, 1]) as Index;
    // The last bag that begins at or before the place.
    const begun = starts.le(places);
    return { bags: begun.sum(1).sub(1), count };
  }

  protected override describe(): string {
    return `${described(this)}, { mode: '${this.mode}' }`;
  }
}

/** rows [L, dim] → [count, dim] by the numbers of their bags; only those of `isIn` count. */
function joined(
  mode: 'sum' | 'mean' | 'max',
  rows: Tensor,
  bags: Index,
  count: number,
  isIn: Tensor<Shape, 'bool'> | undefined,
): Tensor {
  const [length, dim] = rows.shape;
  const empty = zeros([count, dim], { dtype: rows.dtype }) as Tensor;
  if (length === 0 || count === 0) return empty;
  const to = bags.unsqueeze(1).expand([length, dim] as Shape) as Index;
  if (mode === 'max') {
    const given = isIn === undefined ? rows : (where(isIn.unsqueeze(1), rows, -Infinity) as Tensor);
    const most = scatterReduce(empty, 0, to, given, 'amax', { includeSelf: false }) as Tensor;
    return isIn === undefined ? most : (where(most.gt(-Infinity), most, 0) as Tensor);
  }
  const counted = isIn === undefined ? rows : (where(isIn.unsqueeze(1), rows, 0) as Tensor);
  const sums = empty.scatterAdd(0, to, counted) as Tensor;
  if (mode === 'sum') return sums;
  const each = (isIn === undefined ? ones([length]) : isIn.to('float32')) as Tensor;
  const sizes = zeros([count]).scatterAdd(0, bags, each).clamp(1).unsqueeze(1);
  return sums.div(sizes.to(rows.dtype)) as Tensor;
}
