// Programs with a mistake: tensors, functions and derivatives. Each is refused, for what is wrong in it.

import {
  type CustomContext,
  type Shape,
  type Tensor,
  arange,
  avgPool2d,
  cat,
  compile,
  conv1d,
  conv2d,
  customOp,
  embedding,
  grad,
  interpolate,
  jacobian,
  maxPool2d,
  ones,
  rand,
  scaledDotProductAttention,
  stack,
  tensor,
  where,
  zeros,
} from 'nabla';

declare const x: Tensor<[number, 8]>;
declare const deep: Tensor<[number, 8, number]>;
declare const ids: Tensor<[number, number], 'int32'>;
declare const image: Tensor<[2, 3, 32, 32]>;
declare const unknown: Tensor;
export let current: Tensor<[4, 5]> = zeros([4, 5]);

// ---------------------------------------------------------------- arithmetic

// @ts-expect-error 8 and 9 columns
x.add({} as Tensor<[number, 9]>);
// @ts-expect-error 8 and 4 columns, behind a mean
x.sub(rand([3, 4]).mean(0));
// @ts-expect-error 2 and 3 rows
rand([2, 5]).mul(rand([3, 5]));
// @ts-expect-error 10 and 32 at the end: a dimension is missing
rand([32, 10]).div(rand([32]));
// @ts-expect-error 8 and 9 inside
x.matmul({} as Tensor<[9, 2]>);
// @ts-expect-error batches of 4 and 5
rand([4, 2, 3]).matmul(rand([5, 3, 2]));
// @ts-expect-error the transposed one is [5, 3]
rand([3, 5]).matmul(rand([3, 5]).T.T);
// @ts-expect-error integers have no matrix product
rand([2, 3]).matmul(ones([3, 2], { dtype: 'int32' }));
// @ts-expect-error text is no operand
x.add('1');
// @ts-expect-error an array is no tensor
x.mul([1, 2, 3]);
// @ts-expect-error 8 and 7 columns are compared
x.gt(rand([7]));
// @ts-expect-error the condition is not bool
where(x, 1, 0);
// @ts-expect-error 8 and 9 columns to choose from
where(x.gt(0), x, {} as Tensor<[number, 9]>);
// @ts-expect-error a mask of 7 columns
where(rand([7]).gt(0), x, 0);
// @ts-expect-error a mask of 7 columns
where(rand([7]).gt(0), -Infinity, x);
// @ts-expect-error 2 and 3 rows, whatever the mask
where(rand([1]).gt(0), rand([2, 5]), rand([3, 5]));

// ---------------------------------------------------------------- dimensions

// @ts-expect-error no dimension 2
x.sum(2);
// @ts-expect-error no dimension -3
x.softmax(-3);
// @ts-expect-error listed twice
rand([2, 3]).mean([0, -2]);
// @ts-expect-error `keepdims` is `keepdim`
x.mean(0, { keepdims: true });
// @ts-expect-error several dimensions are one list
x.sum(0, 1);
// @ts-expect-error no dimension 3 to exchange
deep.transpose(1, 3);
// @ts-expect-error three dimensions, two listed
deep.permute([1, 0]);
// @ts-expect-error 6 elements, not 8
rand([2, 3]).reshape([4, 2]);
// @ts-expect-error 6 elements are no multiple of 4
rand([2, 3]).reshape([4, -1]);
// @ts-expect-error two sizes are left open
rand([2, 3]).reshape([-1, -1]);
// @ts-expect-error 3 cannot grow to 4
rand([2, 3]).expand([2, 4]);
// @ts-expect-error sizes are one list
rand([2, 3]).reshape(3, 2);
// @ts-expect-error sizes are one list
zeros(2, 3);
// @ts-expect-error no place 4 for a new dimension
x.unsqueeze(4);
// @ts-expect-error no dimension 2 to slice
x.slice(2, 0, 1);
// @ts-expect-error [before, after] for each dimension
x.pad([1, 1]);

// ---------------------------------------------------------------- several tensors

// @ts-expect-error 8 and 4 columns
cat([x, {} as Tensor<[number, 4]>], 0);
// @ts-expect-error one list
cat(x, x);
// @ts-expect-error no dimension 2
cat([rand([2, 3]), rand([2, 3])], 2);
// @ts-expect-error different shapes
stack([{} as Tensor<[2]>, {} as Tensor<[3]>]);
// @ts-expect-error ragged
tensor([[1, 2], [3]]);
// @ts-expect-error no such dtype
zeros([2], { dtype: 'int64' });

// ---------------------------------------------------------------- results

// @ts-expect-error 8 columns into 9
current = {} as Tensor<[4, 9]>;
// @ts-expect-error a matrix into a vector
export const vector: Tensor<[8]> = x;
// @ts-expect-error a mean over rows is a vector
export const mean: Tensor<[number, 8]> = rand([3, 8]).mean(0);
// @ts-expect-error rows of a matrix are no numbers
export const flat: Promise<number[]> = x.array();
// @ts-expect-error numbers are no truth values
export const truths: Promise<boolean[]> = rand([3]).array();
// @ts-expect-error comparisons are bool, not float32
export const compared: Tensor<[3]> = rand([3]).gt(0);
// @ts-expect-error indices are int32
export const best: Tensor<[2]> = rand([2, 3]).argmax(1);
// @ts-expect-error the values are a field
rand([2, 3]).max(1).add(1);
// @ts-expect-error data is awaited
export const data: Float32Array = x.data();
// @ts-expect-error there is no size at a position that does not exist
rand([2, 3]).shape[2].toFixed();
// @ts-expect-error there is no such method
x.view([8, -1]);
export function centred(rows: Tensor<[number, 3]>): Tensor<[number, 3]> {
  // @ts-expect-error a dimension is lost
  return rows.mean(1);
}
export function generic<S extends Shape>(rows: Tensor<S>): Tensor<[2, 2]> {
  // @ts-expect-error 2 and 3 columns
  return rows.reshape([2, 3]);
}

// ---------------------------------------------------------------- windows, lookups, attention

// @ts-expect-error 3 channels, the kernel takes 4
conv2d(image, rand([8, 4, 3, 3]));
// @ts-expect-error a kernel of an image has four dimensions
conv2d(image, rand([8, 3, 3]));
// @ts-expect-error `pad` is no option
conv2d(image, rand([8, 3, 3, 3]), { pad: 1 });
// @ts-expect-error an image is no sequence
conv1d(image, rand([8, 3, 3]));
// @ts-expect-error 40 does not fit into 32
maxPool2d(image, 40);
// @ts-expect-error a matrix is no image
avgPool2d(rand([2, 3]), 2);
// @ts-expect-error no such mode
interpolate(image, { scaleFactor: 2, mode: 'linearly' });
// @ts-expect-error indices are int32
embedding(rand([10, 4]), rand([3]));
// @ts-expect-error 16 and 12 features
scaledDotProductAttention(rand([2, 5, 16]), rand([2, 7, 12]), rand([2, 7, 12]));
// @ts-expect-error positions are int32
rand([3, 4]).gather(1, rand([3, 1]));

// ---------------------------------------------------------------- derivatives, operators of one's own, compile

export const clipped = customOp({
  name: 'clipped',
  forward: (_: CustomContext<{ t: Tensor }>, t: Tensor) => t.clamp(-1, 1),
  backward: (ctx, g) => [g.mul(ctx.saved.t)],
});
// @ts-expect-error takes one tensor
clipped(x, x);
customOp({
  name: 'wrong',
  forward: (_: CustomContext<{ t: Tensor }>, t: Tensor) => t,
  // @ts-expect-error nothing of that name was saved
  backward: (ctx) => [ctx.saved.u],
});
// @ts-expect-error the backward pass is missing
customOp({ name: 'half', forward: (_, t: Tensor) => t });
// @ts-expect-error a number is no tensor
grad((t: Tensor) => t.sum())(3);
// @ts-expect-error a function, not its value
jacobian(x.pow(2), x);
// @ts-expect-error 9 columns, not 8
compile(async (t: Tensor<[number, 8]>) => t.sum())(rand([2, 9]));
// @ts-expect-error a gradient is not there before the first backward()
unknown.grad.backward();
// @ts-expect-error halves are no whole numbers
export const whole: Tensor<[number], 'int32'> = arange(0, 2, 0.5);
// @ts-expect-error an int32 tensor is no float32 one
export const floats: Tensor = ids;
