// A control that takes a picture of one's own: chosen, dropped on the figure or pasted. It is cut to a square and scaled here; nothing leaves the page.

import type { ControlRow } from './controls.js';
import { element } from './element.js';
import type { Picture, Setting } from './figure.js';

export function pictureRow(figure: string, id: string, control: Picture, give: (value: Setting) => void): ControlRow {
  const input = element('input', { type: 'file', id, accept: 'image/*' });
  const back = element('button', { type: 'button', textContent: control.otherwise, hidden: true });
  const words = element('span', { className: 'hint', role: 'status' }, HINT);
  const take = async (file: Blob | null | undefined): Promise<void> => {
    if (!file) return;
    try {
      give(await pixelsOf(file, control.side));
      words.textContent = HINT;
    } catch {
      words.textContent = 'This is no picture that the browser can read.';
    }
  };
  input.onchange = () => void take(input.files?.[0]);
  back.onclick = () => {
    input.value = '';
    give('');
  };
  const root = document.getElementById(figure)!;
  root.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    root.classList.add('dropping');
  });
  for (const kind of ['dragleave', 'drop']) root.addEventListener(kind, () => root.classList.remove('dropping'));
  root.addEventListener('drop', (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    void take(file);
  });
  document.addEventListener('paste', (event) => {
    const { top, bottom } = root.getBoundingClientRect();
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
    if (file && bottom > 0 && top < innerHeight) void take(file);
  });
  return {
    element: element(
      'div',
      { className: 'control' },
      element('label', { htmlFor: id }, control.label),
      back,
      input,
      words,
    ),
    show: (value) => {
      back.hidden = value === '';
      if (value === '') input.value = '';
    },
  };
}

const HINT = 'Or drop or paste one here. It stays in this page.';

/** Its middle, side × side, as bytes in base64; what is transparent is white. */
async function pixelsOf(file: Blob, side: number): Promise<string> {
  const picture = await createImageBitmap(file);
  const part = Math.min(picture.width, picture.height);
  const context = new OffscreenCanvas(side, side).getContext('2d')!;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, side, side);
  context.imageSmoothingQuality = 'high';
  const [left, top] = [(picture.width - part) / 2, (picture.height - part) / 2];
  context.drawImage(picture, left, top, part, part, 0, 0, side, side);
  picture.close();
  let text = '';
  context.getImageData(0, 0, side, side).data.forEach((byte, i) => {
    if (i % 4 < 3) text += String.fromCharCode(byte);
  });
  return btoa(text);
}
