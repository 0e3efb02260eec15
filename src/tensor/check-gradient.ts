// Gradients against finite differences, in float64: the function is run on the reference device.

import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { getDefaultDevice, setDefaultDevice } from '../engine/engine.js';
import { DeviceError, GradError } from '../engine/ir/errors.js';
import { valueAndGrad } from './autograd.js';
import { tensor } from './creation.js';
import { type AnyTensor, type Tensor, checkTensor } from './tensor.js';
import { checkFunction, checkList, checkNumber } from '../engine/ir/arguments.js';

export interface GradientCheck {
  readonly ok: boolean;
  /** Largest |analytic − numeric| / max(1, |numeric|). */
  readonly maxError: number;
  /** The worst element: input number and flat index. */
  readonly worst:
    | { readonly input: number; readonly index: number; readonly analytic: number; readonly numeric: number }
    | undefined;
}

export interface CheckOptions {
  /** Step of the central difference (default 1e-5, relative to the element's size). */
  readonly eps?: number;
  /** Largest error that passes (default 1e-6). */
  readonly tolerance?: number;
  /** Throw a GradError that names the worst element instead of reporting it. */
  readonly assert?: boolean;
}

const CHECK_OPTIONS: OptionNames<CheckOptions> = { eps: true, tolerance: true, assert: true };

/**
 * Compares the gradients of `fn` (its result is summed) with central differences, element by element.
 * It runs on the reference device, in float64, with copies of the inputs; tensors that it finds outside have to be there, too.
 *
 *     await checkGradient((x) => x.tanh(), [randn([3])])     // { ok: true, … }
 */
export async function checkGradient(
  fn: (...inputs: Tensor[]) => AnyTensor,
  inputs: readonly AnyTensor[],
  options: CheckOptions = {},
): Promise<GradientCheck> {
  checkOptions('checkGradient', options, CHECK_OPTIONS);
  const { eps = 1e-5, tolerance = 1e-6 } = options;
  checkFunction('checkGradient', fn, 'the first argument');
  checkList('checkGradient', 'the second argument', inputs, 'tensors');
  inputs.forEach((t, i) => checkTensor(t, 'checkGradient', `input ${i}`));
  checkNumber('checkGradient', 'eps', eps);
  checkNumber('checkGradient', 'tolerance', tolerance);
  const values = await Promise.all(inputs.map(async (t) => Float64Array.from((await t.data()) as Float32Array)));
  const before = getDefaultDevice();
  setDefaultDevice('reference');
  try {
    const called = (xs: readonly Tensor[]): AnyTensor => {
      const y = fn(...xs);
      checkTensor(y, 'checkGradient', 'what the function returned');
      return y;
    };
    const make = (data: readonly Float64Array[]) =>
      data.map((d, i) => tensor(d, { shape: inputs[i].shape as number[], dtype: 'float32' }));
    // Not under noGrad: the function may take slopes of its own.
    const total = async (data: readonly Float64Array[]): Promise<number> => called(make(data)).sum().item();
    const { grads } = valueAndGrad((...xs: Tensor[]) => called(xs).sum())(...make(values));
    const analytic = await Promise.all(grads.map((g) => g.data()));
    let worst: GradientCheck['worst'];
    let maxError = 0;
    for (let i = 0; i < values.length; i++) {
      for (let k = 0; k < values[i].length; k++) {
        const at = values[i][k];
        const h = eps * Math.max(1, Math.abs(at));
        values[i][k] = at + h;
        const up = await total(values);
        values[i][k] = at - h;
        const down = await total(values);
        values[i][k] = at;
        const numeric = (up - down) / (2 * h);
        const error = Math.abs(analytic[i][k] - numeric) / Math.max(1, Math.abs(numeric));
        if (!(error <= maxError)) {
          maxError = error;
          worst = { input: i, index: k, analytic: analytic[i][k], numeric };
        }
      }
    }
    const ok = maxError <= tolerance;
    if (!ok && options.assert === true && worst !== undefined) {
      throw new GradError(
        `checkGradient: input ${worst.input}, element ${worst.index}: the gradient is ${worst.analytic}, finite differences give ${worst.numeric}.`,
      );
    }
    return { ok, maxError, worst };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    throw new DeviceError(
      `checkGradient: the function is run on the reference device, in float64, and uses a tensor from elsewhere. Give that one as an input, too, or move it with to('reference'). (${error.message})`,
    );
  } finally {
    setDefaultDevice(before);
  }
}
