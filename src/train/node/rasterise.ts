// SVG → PNG with sharp, an optional dependency, loaded when it is needed. Labels need a font on the system.

import { NablaError } from '../../tensor/library.js';

interface Sharp {
  png(): { toBuffer(): Promise<Uint8Array> };
}

/** The bytes of a PNG file, `scale` times as large as the SVG says. Throws NablaError where sharp is not installed. */
export async function rasteriseSvg(svg: string, scale = 2): Promise<Uint8Array> {
  let sharp: (input: Uint8Array, options: { density: number }) => Sharp;
  try {
    ({ default: sharp } = await import('sharp'));
  } catch {
    throw new NablaError(
      'curves: PNG needs the package sharp, which is not installed. Run npm install sharp, or write SVG.',
    );
  }
  return await sharp(Buffer.from(svg), { density: 72 * scale })
    .png()
    .toBuffer();
}
