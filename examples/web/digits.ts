// From a .pt to a page: a network that PyTorch has trained reads the digits that somebody draws. In Python:
//   net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))
//   …                                          # trained on images of 8×8 from 0 to 1: tools/parity/digits_pt.py
//   torch.save(net.state_dict(), 'digits.pt')
// To look at it: npm run build && npx esbuild examples/web/digits.ts --bundle --format=esm --servedir=examples/web, digits.html

import { noGrad, tensor } from 'nabla';
import { loadWeights } from 'nabla/io';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from 'nabla/nn';

const convolution = new Conv2d(1, 16, 3, { padding: 1 });
const net = new Sequential(convolution, new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(256, 10));

/** Makes the canvas one to draw on, and says in `output` which digit it shows. A double click wipes it. */
export async function start(canvas: HTMLCanvasElement, output: HTMLElement, weights: string): Promise<void> {
  await loadWeights(net.eval(), new URL(weights, location.href)); // or the File of an <input type="file">
  const pen = canvas.getContext('2d')!;
  const small = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true })!;
  Object.assign(pen, { lineWidth: canvas.width / 9, lineCap: 'round', strokeStyle: 'white' });
  canvas.addEventListener('pointerdown', () => pen.beginPath());
  canvas.addEventListener('dblclick', () => pen.clearRect(0, 0, canvas.width, canvas.height));
  canvas.addEventListener('pointermove', ({ buttons, offsetX, offsetY }) => {
    if (buttons !== 0) pen.lineTo(offsetX, offsetY);
    pen.stroke();
  });
  canvas.addEventListener('pointerup', async () => {
    small.fillRect(0, 0, 8, 8); // black
    small.imageSmoothingQuality = 'medium'; // means of 32×32 pixels
    small.drawImage(canvas, 0, 0, 8, 8);
    const { data } = small.getImageData(0, 0, 8, 8);
    const x = tensor(
      Float32Array.from({ length: 64 }, (_, i) => data[4 * i] / 255),
      { shape: [1, 1, 8, 8] },
    );
    output.textContent = String(await noGrad(() => net.forward(x).argmax(1)).item());
  });
}
