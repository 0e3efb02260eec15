// `nabla look`: what is in a network for pictures and what it makes of one: filters of the first convolution, maps of layers, and where it looks
// (saliency, Grad-CAM). Leaves PNG files in a folder.

import { basename, join } from 'node:path';
import { contactSheet, type HostImage } from '../../data/index.js';
import { type AnyTensor, Tensor, disposeDevices, tensor } from '../../index.js';
import { encodePng } from '../../io/png.js';
import { type Pictures, type Prediction, drawHeat, gradCam, saliency, topK } from '../../vision/index.js';
import { labelsOf } from '../class-labels.js';
import { useDevice } from '../device.js';
import { type DownloadOption, allowDownloads } from '../downloads.js';
import { CliError } from '../errors.js';
import { type Layer, type Seen, firstConvolution, lastMaps, watchLayers } from '../look/layers.js';
import { filterImages, mapImages, stretched } from '../look/pictures.js';
import { type Network, type NetworkOptions, networkKindOf, openNetwork } from '../networks/network.js';
import { writeOutput } from '../output-file.js';
import { printable } from '../printable.js';
import { createFolder } from '../run-folder.js';
import { type Terminal, percent, terminalOf } from '../terminal.js';

export interface LookOptions extends NetworkOptions, DownloadOption {
  readonly image: string;
  /** Names of layers whose maps are drawn. Default: the first convolution and the last maps. */
  readonly layer?: readonly string[];
  /** Name or number of the class that is asked about. Default: the most probable. */
  readonly class?: string;
  readonly preprocess?: string;
  /** A file with a name a line, or the name of a data set. */
  readonly labels?: string;
  readonly out?: string;
  readonly device: string;
  readonly json?: true;
}

/** A file that was written, and what is in it. */
interface Written {
  readonly file: string;
  readonly what: string;
}

export async function look(source: string, options: LookOptions): Promise<void> {
  useDevice(options.device);
  allowDownloads(options);
  const terminal = terminalOf(process.stdout);
  try {
    const network = await openedNetwork(source, options);
    const { picture, module } = network;
    if (picture === undefined) throw new CliError(`${network.what}: it takes no pictures.`);
    const pixels = await picture.read(options.image);
    const x: Pictures = tensor(pixels, { shape: [1, ...picture.shape] });
    const run = (at: Tensor): AnyTensor => module.forward(at as never) as AnyTensor;
    const seen = await watchLayers(module, () => run(x));
    const first = firstConvolution(module);
    const layers = chosenLayers(seen.layers, module, first?.name, options.layer);
    const scores = logitsOf(seen);
    const said = scores && (await saidOf(scores, network, options.class));
    const folder = createFolder(options.out ?? `look-${basename(source)}`, 'create the folder');
    const written: Written[] = [];
    const keep = async (name: string, what: string, images: readonly HostImage[], captions?: readonly string[]) => {
      const file = join(folder, name);
      const columns = Math.min(8, images.length);
      await writeOutput(file, encodePng(contactSheet(images, { columns, ...(captions && { labels: captions }) })));
      written.push({ file, what });
    };
    if (first !== undefined) {
      const images = filterImages(Float32Array.from(await first.weight.data()), first.weight.shape);
      await keep('filters.png', `filters of ${first.name}, the first convolution`, images);
    }
    for (const { name, kind, maps } of layers) {
      const images = mapImages(Float32Array.from(await maps.data()), maps.shape);
      const [, all, height, width] = maps.shape;
      const count = images.length < all ? `the first ${images.length} of ${all}` : `${all}`;
      const file = `maps-${name.replaceAll(/[^\w.-]/g, '_')}.png`;
      await keep(file, `${count} maps of ${name} (${kind}), ${height}×${width}`, images);
    }
    if (said !== undefined) {
      const { images, labels } = await whereItLooks(run, x, seen, network, said.asked);
      await keep('where.png', `the picture, saliency and Grad-CAM for '${said.name}'`, images, labels);
    }
    tell(terminal, network, said, written, options.json === true);
  } finally {
    await disposeDevices();
  }
}

/** The network that is named, with the names of its classes. */
async function openedNetwork(source: string, options: LookOptions): Promise<Network> {
  const kind = networkKindOf(source);
  if (kind === undefined)
    throw new CliError(
      `${source} is a file. Name a run folder, a folder of transformers, or a network such as resnet18 with --weights.`,
    );
  const network = await openNetwork(kind, source, options);
  const labels = await labelsOf(options.labels);
  return labels === undefined ? network : { ...network, classes: labels };
}

/** Logits [1, classes]; undefined where the output is something else. */
function logitsOf({ output }: Seen): Tensor<[number, number]> | undefined {
  return output instanceof Tensor && output.rank === 2 && output.shape[0] === 1 ? output : undefined;
}

/** The layers that are named, or the first convolution and the last maps. */
function chosenLayers(
  layers: readonly Layer[],
  module: Network['module'],
  first: string | undefined,
  names: LookOptions['layer'],
): Layer[] {
  if (names === undefined) {
    const all = [layers.find(({ name }) => name === first), lastMaps(layers, module)];
    return [...new Set(all.filter((layer) => layer !== undefined))];
  }
  return names.map((name) => {
    const layer = layers.find((own) => own.name === name);
    if (layer !== undefined) return layer;
    throw new CliError(
      `--layer ${name}: there is no layer of that name that gives maps. Use ${layers
        .map((own) => own.name)
        .filter((own) => own !== '')
        .join(', ')}.`,
    );
  });
}

interface Said {
  readonly best: readonly Prediction[];
  /** The class that is asked about. */
  readonly asked: number;
  readonly name: string;
}

async function saidOf(
  scores: Tensor<[number, number]>,
  { classes }: Network,
  wanted: string | undefined,
): Promise<Said> {
  const count = scores.shape[1];
  const best = await topK(scores, { k: Math.min(3, count), ...(classes?.length === count && { names: classes }) });
  const named = wanted === undefined ? best[0].index : (classes ?? []).indexOf(wanted);
  const asked = named >= 0 ? named : Number(wanted);
  if (!(Number.isInteger(asked) && asked >= 0 && asked < count))
    throw new CliError(`--class ${wanted}: there is no such class. Use a name, or a number from 0 to ${count - 1}.`);
  return { best, asked, name: classes?.[asked] ?? String(asked) };
}

/** The picture, what its pixels count, and where the last maps speak for the class. */
async function whereItLooks(
  run: (x: Tensor) => AnyTensor,
  x: Pictures,
  { layers }: Seen,
  { module }: Network,
  asked: number,
): Promise<{ readonly images: HostImage[]; readonly labels: string[] }> {
  const [, channels, height, width] = x.shape;
  const shown = stretched(Float32Array.from(await x.data()));
  const grey = channels === 1 || channels === 3;
  const picture: HostImage = {
    data: grey ? shown : shown.slice(0, height * width),
    shape: [grey ? channels : 1, height, width],
  };
  const classes = tensor(Int32Array.of(asked));
  const slopes = await saliency(run, x, { classes }).data();
  const images: HostImage[] = [picture, drawHeat(slopes, [height, width])];
  const layer = lastMaps(layers, module);
  if (layer === undefined) return { images, labels: ['picture', 'saliency'] };
  // one weight for each place: where the head is a mean it is the same for all places of a map
  const heat = await gradCam(run, layer.module, x, { classes, weights: 'place' }).data();
  images.push(drawHeat(heat, [height, width], { over: picture }));
  return { images, labels: ['picture', 'saliency', 'grad-cam'] };
}

function tell(
  terminal: Terminal,
  { what }: Network,
  said: Said | undefined,
  written: readonly Written[],
  isJson: boolean,
): void {
  if (isJson) {
    terminal.line(
      JSON.stringify({
        event: 'look',
        network: what,
        ...(said && { said: said.best, class: said.name }),
        files: written,
      }),
    );
    return;
  }
  terminal.line(terminal.style.dim(printable(what)));
  if (said !== undefined)
    terminal.line(
      `It says ${said.best.map(({ label, probability }) => `${printable(label)} (${percent(probability)})`).join(', ')}.`,
    );
  for (const { file, what: content } of written)
    terminal.line(`${terminal.style.bold(printable(file))}: ${printable(content)}`);
}
