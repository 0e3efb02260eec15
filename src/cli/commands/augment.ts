// `nabla augment`: a contact sheet of images and of what a transform makes of them, as a PNG file. Each row begins with the
// image itself.

import { HostRandom, contactSheet } from '../../data/index.js';
import { encodePng } from '../../io/index.js';
import type { PresetName, TransformName } from '../augment/names.js';
import { PRESETS, TRANSFORMS } from '../augment/presets.js';
import { type DownloadOption, allowDownloads } from '../downloads.js';
import { writeOutput } from '../output-file.js';
import { terminalOf } from '../terminal.js';

interface Options extends DownloadOption {
  readonly transform?: TransformName;
  readonly out?: string;
  readonly samples: number;
  readonly rows: number;
  readonly seed: number;
  readonly json?: true;
}

export async function augment(preset: PresetName, options: Options): Promise<void> {
  const { samples, rows, seed, transform: name, out = `augment-${preset}.png` } = options;
  allowDownloads(options);
  const { images, labels } = await PRESETS[preset].samples(rows, seed);
  const [, height, width] = images[0].shape;
  const transform = name === undefined ? PRESETS[preset].augmentation : TRANSFORMS[name](height, width);
  const cells = images.flatMap((image, row) => [
    image,
    // one generator a sample and epoch, as in training
    ...Array.from({ length: samples }, (_, epoch) => transform(image, new HostRandom(seed, epoch, row))),
  ]);
  const captions = labels.flatMap((label) => [label, ...new Array<string>(samples).fill('')]);
  const file = encodePng(contactSheet(cells, { columns: samples + 1, labels: captions }));
  await writeOutput(out, file);
  const terminal = terminalOf(process.stdout);
  if (options.json) {
    terminal.line(
      JSON.stringify({
        event: 'sheet',
        file: out,
        preset,
        transform: name ?? 'default',
        rows: images.length,
        samples,
        seed,
      }),
    );
    return;
  }
  const count = `${images.length} image${images.length === 1 ? '' : 's'}`;
  terminal.line(
    `${terminal.style.bold(out)}: ${count} of ${preset}, each as it is and ${samples} times augmented (${name ?? 'the default of the preset'}).`,
  );
}
