// Layers that put something around their input: what lies behind its border, the border, the other end, or a number.

import { padded } from '../functions/padding.js';
import type { PadMode, PadPair } from '../functions/padding.js';
import { ArgumentError, formatShape, ShapeError, shown } from '../tensor/library.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import { Layer, checkNumber } from './layer.js';
import type { ReceptiveField } from './receptive-field.js';
import type { PadFn } from './shape-types/windows.js';

/** As many elements at every side, or [left, right], [left, right, top, bottom], …: the last dimension first, as in PyTorch. */
export type Sides = number | readonly number[];

type Dims = 1 | 2 | 3;

const LAYOUT = {
  1: '[N, C, L] or [C, L]',
  2: '[N, C, H, W] or [C, H, W]',
  3: '[N, C, D, H, W] or [C, D, H, W]',
};

/** Pairs in the order of the dimensions. */
function pairsOf(name: string, dims: Dims, padding: Sides): PadPair[] {
  const list: readonly unknown[] = Array.isArray(padding)
    ? (padding as readonly number[])
    : new Array<unknown>(2 * dims).fill(padding);
  if (list.length !== 2 * dims || !list.every((n) => Number.isSafeInteger(n))) {
    const given = Array.isArray(padding) ? `[${list.map(shown).join(', ')}]` : shown(padding);
    throw new ArgumentError(
      `${name}: padding is ${given}. Use a whole number, or ${2 * dims}: the last dimension first.`,
    );
  }
  const numbers = list as readonly number[];
  return Array.from({ length: dims }, (_, i) => {
    const at = 2 * (dims - 1 - i);
    return [numbers[at], numbers[at + 1]] as const;
  });
}

abstract class Pad<Name extends string, D extends Dims, P extends Sides> extends Layer<PadFn<Name, D, P>> {
  readonly padding: P;
  private readonly dims: D;
  private readonly mode: PadMode;
  private readonly pairs: readonly PadPair[];

  constructor(dims: D, mode: PadMode, padding: P) {
    super();
    this.dims = dims;
    this.mode = mode;
    this.pairs = pairsOf(this.constructor.name, dims, padding);
    this.padding = padding;
  }

  protected compute(x: Tensor): Tensor {
    const { name } = this.constructor;
    if (x.rank !== this.dims + 1 && x.rank !== this.dims + 2)
      throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs ${LAYOUT[this.dims]}`, [x.shape]);
    return wrap(padded(name, x.node, this.pairs, this.mode, this.around()));
  }

  /** The number around the input, of mode 'constant'. */
  protected around(): number {
    return 0;
  }

  /** An output element sees an input element, moved by what stands before it. */
  protected override window(): ReceptiveField {
    return { size: this.pairs.map(() => 1), stride: this.pairs.map(() => 1), start: this.pairs.map(([lo]) => 0 - lo) };
  }

  protected override describe(): string {
    return typeof this.padding === 'number' ? `${this.padding}` : `[${(this.padding as readonly number[]).join(', ')}]`;
  }
}

abstract class ConstantPad<Name extends string, D extends Dims, P extends Sides> extends Pad<Name, D, P> {
  readonly value: number;

  constructor(dims: D, padding: P, value: number) {
    super(dims, 'constant', padding);
    checkNumber(value, `${this.constructor.name}: value`);
    this.value = value;
  }

  protected override around(): number {
    return this.value;
  }

  protected override describe(): string {
    return `${super.describe()}, ${this.value}`;
  }
}

/** x [N, C, L] or [C, L] with what lies behind the border, as in a mirror around. PyTorch: nn.ReflectionPad1d. */
export class ReflectionPad1d<const P extends Sides> extends Pad<'ReflectionPad1d', 1, P> {
  constructor(padding: P) {
    super(1, 'reflect', padding);
  }
}

/** x [N, C, H, W] or [C, H, W] with what lies behind the border, as in a mirror around. PyTorch: nn.ReflectionPad2d. */
export class ReflectionPad2d<const P extends Sides> extends Pad<'ReflectionPad2d', 2, P> {
  constructor(padding: P) {
    super(2, 'reflect', padding);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] with what lies behind the border, as in a mirror around. PyTorch: nn.ReflectionPad3d. */
export class ReflectionPad3d<const P extends Sides> extends Pad<'ReflectionPad3d', 3, P> {
  constructor(padding: P) {
    super(3, 'reflect', padding);
  }
}

/** x [N, C, L] or [C, L] with its border around. PyTorch: nn.ReplicationPad1d. */
export class ReplicationPad1d<const P extends Sides> extends Pad<'ReplicationPad1d', 1, P> {
  constructor(padding: P) {
    super(1, 'replicate', padding);
  }
}

/** x [N, C, H, W] or [C, H, W] with its border around. PyTorch: nn.ReplicationPad2d. */
export class ReplicationPad2d<const P extends Sides> extends Pad<'ReplicationPad2d', 2, P> {
  constructor(padding: P) {
    super(2, 'replicate', padding);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] with its border around. PyTorch: nn.ReplicationPad3d. */
export class ReplicationPad3d<const P extends Sides> extends Pad<'ReplicationPad3d', 3, P> {
  constructor(padding: P) {
    super(3, 'replicate', padding);
  }
}

/** x [N, C, L] or [C, L] with what is at the other end around. PyTorch: nn.CircularPad1d. */
export class CircularPad1d<const P extends Sides> extends Pad<'CircularPad1d', 1, P> {
  constructor(padding: P) {
    super(1, 'circular', padding);
  }
}

/** x [N, C, H, W] or [C, H, W] with what is at the other end around. PyTorch: nn.CircularPad2d. */
export class CircularPad2d<const P extends Sides> extends Pad<'CircularPad2d', 2, P> {
  constructor(padding: P) {
    super(2, 'circular', padding);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] with what is at the other end around. PyTorch: nn.CircularPad3d. */
export class CircularPad3d<const P extends Sides> extends Pad<'CircularPad3d', 3, P> {
  constructor(padding: P) {
    super(3, 'circular', padding);
  }
}

/** x [N, C, L] or [C, L] with zeros around. PyTorch: nn.ZeroPad1d. */
export class ZeroPad1d<const P extends Sides> extends Pad<'ZeroPad1d', 1, P> {
  constructor(padding: P) {
    super(1, 'constant', padding);
  }
}

/** x [N, C, H, W] or [C, H, W] with zeros around. PyTorch: nn.ZeroPad2d. */
export class ZeroPad2d<const P extends Sides> extends Pad<'ZeroPad2d', 2, P> {
  constructor(padding: P) {
    super(2, 'constant', padding);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] with zeros around. PyTorch: nn.ZeroPad3d. */
export class ZeroPad3d<const P extends Sides> extends Pad<'ZeroPad3d', 3, P> {
  constructor(padding: P) {
    super(3, 'constant', padding);
  }
}

/** x [N, C, L] or [C, L] with a number around. PyTorch: nn.ConstantPad1d. */
export class ConstantPad1d<const P extends Sides> extends ConstantPad<'ConstantPad1d', 1, P> {
  constructor(padding: P, value: number) {
    super(1, padding, value);
  }
}

/** x [N, C, H, W] or [C, H, W] with a number around. PyTorch: nn.ConstantPad2d. */
export class ConstantPad2d<const P extends Sides> extends ConstantPad<'ConstantPad2d', 2, P> {
  constructor(padding: P, value: number) {
    super(2, padding, value);
  }
}

/** x [N, C, D, H, W] or [C, D, H, W] with a number around. PyTorch: nn.ConstantPad3d. */
export class ConstantPad3d<const P extends Sides> extends ConstantPad<'ConstantPad3d', 3, P> {
  constructor(padding: P, value: number) {
    super(3, padding, value);
  }
}
