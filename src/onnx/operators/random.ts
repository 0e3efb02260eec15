// Operators that draw: dropout, and tensors of random numbers. They draw from nabla's generator; a `seed` attribute asks for numbers that
// the standard does not define, and is passed over.

import { bernoulli, multinomial } from '../../functions/random.js';
import { rand, randn } from '../../tensor/creation.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { allocate } from '../host/array.js';
import { type ElementType, isFloatType } from '../wire/elements.js';
import type { Call, Operator, Operators, Result } from './operator.js';
import { typeOf } from './shapes.js';

/** x and a mask of what stays: everything, unless the node is told to train. */
function dropped(call: Call): Result[] {
  const x = call.tensor(0);
  const known = call.opset >= 12 && call.has(2) ? call.number(2) !== 0 : false;
  const ratio = call.opset < 12 ? call.float('ratio', 0.5) : call.has(1) ? call.number(1) : 0.5;
  const shape = call.shape(0);
  if (!known || ratio === 0) {
    const mask = allocate('bool', call.wants(1) ? shape : []);
    mask.data.fill(call.opset < 12 ? 0 : 1); // of what was dropped, before it was of what stays
    return [call.value(0), mask];
  }
  const stays = rand([...shape]).ge(ratio);
  const y = x.mul(stays.to(x.dtype)).mul(1 / (1 - ratio));
  return [y, call.as(stays, 'bool')];
}

function drawn(
  shapeOf: (call: Call) => readonly number[],
  typeFrom: (call: Call) => ElementType,
  isNormal: boolean,
): Operator {
  return {
    inputs: [0, 1],
    run: (call) => {
      const type = call.hasAttribute('dtype') ? typeOf(call, call.int('dtype')) : typeFrom(call);
      if (!isFloatType(type)) return call.fail(`it draws ${type}`);
      const shape = [...shapeOf(call)];
      const numbers: Tensor = isNormal
        ? randn(shape).mul(call.float('scale', 1)).add(call.float('mean', 0))
        : rand(shape)
            .mul(call.float('high', 1) - call.float('low', 0))
            .add(call.float('low', 0));
      return call.as(numbers.to(call.environment.dtypeOf(type)), type);
    },
  };
}

const given = (call: Call): readonly number[] => call.ints('shape') ?? [];
const likeInput = (call: Call): readonly number[] => call.shape(0);
const float32 = (): ElementType => 'float32';
const typeOfInput = (call: Call): ElementType => (isFloatType(call.type(0)) ? call.type(0) : 'float32');

function coins(call: Call): Result {
  const p = call.tensor(0);
  const type = call.hasAttribute('dtype') ? typeOf(call, call.int('dtype')) : call.type(0);
  return call.as(bernoulli(p).to(call.environment.dtypeOf(type)), type);
}

function classes(call: Call): AnyTensor | Result {
  const count = call.int('sample_size', 1);
  const probabilities = call.tensor(0).softmax(-1);
  const type = typeOf(call, call.int('dtype', 6));
  return call.as(multinomial(probabilities, count, { replacement: true }), type);
}

export const RANDOM: Operators = {
  Dropout: { inputs: [1, 3], settings: [1, 2], run: dropped },
  RandomNormal: drawn(given, float32, true),
  RandomNormalLike: drawn(likeInput, typeOfInput, true),
  RandomUniform: drawn(given, float32, false),
  RandomUniformLike: drawn(likeInput, typeOfInput, false),
  Bernoulli: { inputs: [1, 1], run: coins },
  Multinomial: { inputs: [1, 1], run: classes },
};
