// Is the first loss that of a model that knows nothing? A number in, a check of the record out.

import { ArgumentError, type OptionNames, checkNumber, checkNeededOptions, wrongKind } from '../../tensor/library.js';
import type { CheckEvent } from '../record.js';

export interface InitialLossOptions {
  /** Of a softmax classification. */
  readonly classes: number;
  /** Part of the expected loss that the first may be away from it. Default 0.5: PyTorch's initial weights stay within 0.3. */
  readonly tolerance?: number;
}

const INITIAL_LOSS_OPTIONS: OptionNames<InitialLossOptions> = { classes: true, tolerance: true };

/**
 * Compares the loss of the first batch with log(C), that of C classes that are held for equally likely. Throws ArgumentError
 * for fewer than two classes.
 *
 *     checkInitialLoss(2.31, { classes: 10 }).passed     // true
 */
export function checkInitialLoss(loss: number, options: InitialLossOptions): CheckEvent {
  checkNeededOptions('checkInitialLoss', options, INITIAL_LOSS_OPTIONS, '{ classes: 10 }');
  const { classes, tolerance = 0.5 } = options;
  if (!Number.isInteger(classes) || classes < 2) {
    throw new ArgumentError(`checkInitialLoss: classes is ${classes}. Use a whole number of at least 2.`);
  }
  if (typeof loss !== 'number') throw wrongKind('checkInitialLoss', 'the loss', loss, 'Pass await loss.item()');
  checkNumber('checkInitialLoss', 'tolerance', tolerance);
  const expected = Math.log(classes);
  const passed = Math.abs(loss - expected) <= tolerance * expected;
  return {
    event: 'check',
    name: 'initial-loss',
    passed,
    value: loss,
    expected,
    text: explain(loss, expected, passed, classes),
  };
}

function explain(loss: number, expected: number, passed: boolean, classes: number): string {
  const said = `The first loss is ${loss.toPrecision(3)}, log(${classes}) is ${expected.toPrecision(3)}`;
  if (passed) return `${said}: a model that knows nothing, as it should be.`;
  if (!Number.isFinite(loss)) return `${said}. Look at the inputs and at logarithms and divisions in the loss.`;
  if (loss > expected)
    return `${said}: the model is sure of wrong answers before it has seen any. Weights or inputs are too large, or labels are off.`;
  return `${said}: the model knows the answer already. It is trained, the labels are among the inputs, or the loss is not a mean.`;
}
