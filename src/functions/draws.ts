// The dtype of random tensors that are drawn from numbers and a shape: float32, or what is asked for.

import * as build from '../engine/ir/build.js';
import type { FloatDType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { realDType } from '../tensor/operands.js';

export interface DrawOptions<D extends FloatDType = FloatDType> {
  /** Default float32. */
  readonly dtype?: D;
}

const DRAW_OPTIONS: OptionNames<DrawOptions> = { dtype: true };

/** What `draw` gives in float64 if that is asked for, else in float32, as the dtype that is asked for. */
export function drawn(
  op: string,
  options: DrawOptions | undefined,
  draw: (dtype: 'float32' | 'float64') => Node,
): Node {
  checkOptions(op, options, DRAW_OPTIONS);
  const dtype = realDType(options?.dtype, op);
  return build.cast(draw(dtype === 'float64' ? dtype : 'float32'), dtype);
}
