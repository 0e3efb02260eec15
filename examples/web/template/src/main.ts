// The page: draws, and asks the worker, which has the network. What is trained stays in the browser (worker.ts).
import { connect, fromPixels } from 'nabla/browser';
import type { Api } from './worker.js';

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const { train, predict } = connect<Api>(worker);

const find = <T extends Element>(name: string): T => {
  const found = document.querySelector<T>(name);
  if (!found) throw new Error(`The page has no ${name}.`);
  return found;
};
const canvas = find<HTMLCanvasElement>('#canvas');
const answer = find<HTMLOutputElement>('#answer');
const button = find<HTMLButtonElement>('#train');
const pen = canvas.getContext('2d');
if (!pen) throw new Error('This browser draws no canvas.');
Object.assign(pen, { lineWidth: canvas.width / 9, lineCap: 'round', strokeStyle: 'white' });

const tell = (text: string): void => void (answer.textContent = text);
const failed = (error: unknown): void => tell(error instanceof Error ? error.message : String(error));

button.addEventListener('click', () => {
  button.disabled = true;
  train(8, (epoch, loss) => tell(`Epoch ${epoch}: loss ${loss.toFixed(3)}`))
    .then(
      (accuracy) => tell(`Trained: ${(100 * accuracy).toFixed(1)} % of digits it has not seen are right. Draw one.`),
      failed,
    )
    .finally(() => (button.disabled = false));
});

canvas.addEventListener('pointerdown', ({ offsetX, offsetY }) => {
  pen.beginPath();
  pen.moveTo(offsetX, offsetY);
});
canvas.addEventListener('pointermove', ({ buttons, offsetX, offsetY }) => {
  if (buttons === 0) return;
  pen.lineTo(offsetX, offsetY);
  pen.stroke();
});
canvas.addEventListener('pointerup', async () => {
  const background = new OffscreenCanvas(canvas.width, canvas.height);
  const copy = background.getContext('2d');
  copy?.fillRect(0, 0, canvas.width, canvas.height); // black behind the strokes
  copy?.drawImage(canvas, 0, 0);
  const pixels = await fromPixels(background, { channels: 1, size: 8 }).data();
  predict(pixels).then((digit) => tell(digit === undefined ? 'Train it first.' : `A ${digit}?`), failed);
});
find('#clear').addEventListener('click', () => pen.clearRect(0, 0, canvas.width, canvas.height));
