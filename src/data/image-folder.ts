// Folders of pictures, one folder for each class. Decoding is done by the optional package sharp, in Node; this file only
// says what there is, so that a browser's bundle stays free of it.

import { absolutePath } from '../io/path.js';
import { ArgumentError, checkOptions, type OptionNames } from '../tensor/library.js';
import type { ImageFolder, ImageFolderOptions } from './node/image-folder.js';

const IMAGE_FOLDER_OPTIONS: OptionNames<ImageFolderOptions> = { size: true, channels: true, extensions: true };

/**
 * Pictures below `root`, whose folders are the classes in the order of their names; names that begin with a dot count for nothing. Items: x bytes [C, height, width], y
 * int32. Pictures are decoded when they are asked for; `load()` decodes all of them. Throws NablaError if there are no
 * classes or a class has no picture. PyTorch: torchvision.datasets.ImageFolder. Node only; needs `npm install sharp`.
 *
 *     const photos = await imageFolder('photos/train', { size: [64, 64] });
 *     for await (const { x, y } of new DataLoader(photos, { batchSize: 32, shuffle: true, prefetch: 2 })) …
 */
export async function imageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  checkOptions('imageFolder', options, IMAGE_FOLDER_OPTIONS);
  const { process } = globalThis as { process?: NodeJS.Process };
  if (process?.versions?.node === undefined)
    throw new ArgumentError(
      'imageFolder: there are no files here. Fetch the pictures and decode them with the browser.',
    );
  const folder = absolutePath(root, 'imageFolder'); // pictures are read later, from wherever the process is then
  const { openImageFolder } = await import('./node/image-folder.js');
  return openImageFolder(folder, options);
}
