// The gradient of the CTC loss in float64 has the digits of float64 on every device: nothing on its way is float32.
import { expect, test } from 'vitest';
import { setDevice, tensor } from 'nabla';
import { ctcLoss } from 'nabla/nn';

test('ctcLoss in float64', async () => {
  const numbers = Float64Array.from({ length: 8 * 2 * 4 }, (_, i) => Math.sin(1.3 * i));
  const gradients: Float64Array[] = [];
  for (const device of ['reference', 'cpu']) {
    setDevice(device);
    const x = tensor(numbers, { shape: [8, 2, 4], dtype: 'float64', requiresGrad: true });
    const labels = tensor(
      [
        [1, 2, 2],
        [3, 1, 0],
      ],
      { dtype: 'int32' },
    );
    ctcLoss(x.logSoftmax(2), labels, [8, 7], [3, 2]).backward();
    gradients.push(Float64Array.from(await (x.grad as typeof x).data()));
  }
  const apart = gradients[0].map((v, i) => Math.abs(v - gradients[1][i]));
  expect(Math.max(...apart)).toBeLessThan(1e-14);
});
