// Programs in float64: solvers, second-order methods and gradient checks compute in it. They compile under `strict` without a
// cast; types only, nothing here runs.

import { type Tensor, cat, eye, linspace, ones, rand, randn, setDefaultDType, tensor, where, zeros } from 'nabla';
import { Linear, ReLU, Sequential, toDType } from 'nabla/nn';

const x = tensor(Float64Array.of(1, 2, 3));
const wide: Tensor<[number], 'float64'> = x;
const asked: Tensor<[2, 3], 'float64'> = zeros([2, 3], { dtype: 'float64' });
const drawn: Tensor<[4], 'float64'> = randn([4], { dtype: 'float64' });
const counted: Tensor<[5], 'float64'> = linspace(0, 1, 5, { dtype: 'float64' });
const identity: Tensor<[3, 3], 'float64'> = eye(3, 3, { dtype: 'float64' });

// promotion as PyTorch's: float64 wins, integers and numbers go along
const mixed: Tensor<[2, 3], 'float64'> = asked.add(rand([2, 3]));
const counts: Tensor<[2, 3], 'float64'> = asked.mul(ones([2, 3], { dtype: 'int32' })).sub(0.1);
const share: Tensor<[2, 3], 'float64'> = ones([2, 3], { dtype: 'int32' }).div(asked);
const chosen: Tensor<[2, 3], 'float64'> = where(asked.gt(0), asked, 0);
const joined = cat([asked, asked], 0);

// functions, reductions and products keep it
const values: Tensor<[2, 3], 'float64'> = asked.exp().tanh().pow(2).softmax(1);
const means: Tensor<[2], 'float64'> = asked.mean(1).add(asked.std(1)).add(asked.logsumexp(1));
const product: Tensor<[2, 2], 'float64'> = asked.matmul(asked.T);
const back: Tensor<[2, 2]> = product.to('float32');

// Newton's method for a square root
let root: Tensor<[4], 'float64'> = ones([4], { dtype: 'float64' });
for (let step = 0; step < 6; step++) root = root.add(drawn.abs().div(root)).mul(0.5);

// a gradient has the dtype of its tensor
const leaf = tensor([1, 2], { dtype: 'float64', requiresGrad: true });
leaf.square().sum().backward();
const slope: Tensor<[2], 'float64'> | undefined = leaf.grad;

// layers that have been converted
const layer = toDType(new Linear(3, 2), 'float64');
const out: Tensor<[2, 2], 'float64'> = layer.forward(asked);
const model = toDType(new Sequential(new Linear(3, 8), new ReLU(), new Linear(8, 1)), 'float64');
const predicted: Tensor<[2, 1], 'float64'> = model.forward(asked);

// @ts-expect-error layers take float32 unless they are converted
new Linear(3, 2).forward(asked);
// @ts-expect-error float64 is not float32
const narrow: Tensor<[2, 3]> = asked.add(1);
// @ts-expect-error one dtype in a product
asked.matmul(rand([3, 2]));

setDefaultDType('float64');
// @ts-expect-error numbers are real by default
setDefaultDType('int32');

export {
  back,
  chosen,
  counted,
  counts,
  identity,
  joined,
  means,
  mixed,
  narrow,
  out,
  predicted,
  share,
  slope,
  values,
  wide,
};
