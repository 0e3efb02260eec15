// Runs in the browser: the page of examples/web/digits.ts. Digits are put on the canvas, and one is drawn with the pointer.

import { start } from '../../examples/web/digits.js';

export interface Drawn {
  /** What the page says of the images that the server has. */
  readonly seen: readonly number[];
  /** Of a stroke from top to bottom. */
  readonly stroke: number;
}

export async function main(): Promise<Drawn> {
  const images = (await (await fetch('/digits.json')).json()) as number[][];
  const page = new DOMParser().parseFromString(await (await fetch('/digits.html')).text(), 'text/html');
  document.body.append(...page.body.querySelectorAll('canvas, output'));
  const canvas = document.querySelector('canvas')!;
  const output = document.querySelector('output')!;
  await start(canvas, output, '/digits.pt');
  const pen = canvas.getContext('2d')!;
  const read = async (): Promise<number> => {
    output.textContent = '';
    canvas.dispatchEvent(new PointerEvent('pointerup'));
    while (output.textContent === '') await new Promise((resolve) => setTimeout(resolve, 1));
    canvas.dispatchEvent(new MouseEvent('dblclick'));
    return Number(output.textContent);
  };
  const [width, height] = [canvas.width / 8, canvas.height / 8];
  const seen: number[] = [];
  for (const image of images) {
    image.forEach((light, i) => {
      pen.fillStyle = `rgb(${255 * light} ${255 * light} ${255 * light})`;
      pen.fillRect((i % 8) * width, Math.floor(i / 8) * height, width, height);
    });
    seen.push(await read());
  }
  const box = canvas.getBoundingClientRect();
  const at = (type: string, share: number): void => {
    const place = { clientX: box.left + canvas.width / 2, clientY: box.top + canvas.height * share };
    canvas.dispatchEvent(new PointerEvent(type, { ...place, buttons: 1 }));
  };
  at('pointerdown', 0.05);
  for (const share of [0.05, 0.3, 0.5, 0.7, 0.95]) at('pointermove', share);
  return { seen, stroke: await read() };
}
