// Pictures of one's own: cut to a square and scaled here; nothing leaves the page.

import type { Picture } from './figure.js';
import type { FileKind } from './file.js';

export const pictureKind = ({ side }: Picture): FileKind => ({
  accept: 'image/*',
  isPasted: (type) => type.startsWith('image/'),
  failure: 'This is no picture that the browser can read.',
  read: (file) => pixelsOf(file, side),
});

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
