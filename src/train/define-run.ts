// A run as a file: what it is called, what can be set from outside, and how trainer options follow from that. The command
// `nabla train FILE` takes such a definition as the default export.
// Must not know: command lines, folders.

import type { ConfusionOptions } from './confusion.js';
import type { TableEncoder } from '../data/table-encoder.js';
import {
  ArgumentError,
  type OptionNames,
  checkFunction,
  checkList,
  checkOptions,
  checkRecord,
  checkText,
  wrongKind,
} from '../tensor/library.js';
import type { Module } from '../nn/module.js';
import type { AnyTensor } from '../tensor/tensor.js';
import type { TrainerOptions } from './options.js';

export type Setting = number | string | boolean;
export type Settings = Readonly<Record<string, Setting>>;

/** Settings as they arrive: of the types of the defaults, any value. */
export type Chosen<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends number ? number : S[K] extends boolean ? boolean : string;
} & { readonly seed: number };

/** Where a report goes. */
export interface Page {
  line(text?: string): void;
  /** Keeps a picture (an SVG file, or a PNG file, still or animated) under this name where the run is kept, and says so; left out where there is no such place. */
  picture?(name: string, file: Uint8Array): Promise<void>;
  /** Keeps which classes were taken for which where the run is kept; left out where there is no such place. */
  confusion?(found: ConfusionOptions): Promise<void>;
  readonly columns: number;
  readonly style: Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'cyan', (text: string) => string>>;
}

/** Trainer options, but for what the caller decides. */
export interface RunPlan extends Omit<TrainerOptions, 'folder' | 'signal' | 'seed' | 'config'> {
  /** What else is needed to use the model later (a vocabulary, for example); kept in the run folder. Plain JSON. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** More about the result than the numbers, after training and `nabla eval`. */
  report?(page: Page): void | Promise<void>;
}

/** Says which class an image is. */
export interface ImagePredictor {
  readonly kind: 'image';
  /** Logits [N, classes] of images; its weights are loaded before use. */
  readonly model: Module & { forward(x: AnyTensor): AnyTensor };
  /** Channels, height, width. */
  readonly shape: readonly [number, number, number];
  readonly classes: readonly string[];
  /** What the largest pixel value of a text file is; it becomes 1. */
  readonly most: number;
  /**
   * What lies around the things in the pictures that the model was trained on. Pictures with the other one (a pen on paper,
   * for a model of light digits on black) are inverted by `nabla predict`, which says so. Default: nothing is inverted.
   */
  readonly background?: 'black' | 'white';
  /**
   * Pixels that are free on each side of the things in the pictures that the model was trained on, with `background`. A drawing is
   * cut out and fitted into what is left, with its centre of mass in the middle, as MNIST's digits are (4). Default 0.
   */
  readonly margin?: number;
  /** Changes pixels, 0 to 1 (channel after channel, image after image), to what the model was trained on. */
  prepare?(pixels: Float32Array): void;
}

/** Goes on with a text. */
export interface TextPredictor {
  readonly kind: 'text';
  /** Logits [1, T, V] of int32 [1, T]; its weights are loaded before use. */
  readonly model: Module & { forward(x: AnyTensor): AnyTensor };
  /** All characters, in the order of their numbers. */
  readonly vocabulary: string;
  /** How many characters the model looks back. */
  readonly context: number;
}

/** Says what belongs to the rows of a table. */
export interface TablePredictor {
  readonly kind: 'table';
  /** Logits [N, classes], or numbers [N] or [N, 1], of features [N, width]; its weights are loaded before use. */
  readonly model: Module & { forward(x: AnyTensor): AnyTensor };
  /** As it was fitted to the training part: kept in `facts`, taken from there by `TableEncoder.from`. */
  readonly encoder: TableEncoder;
}

export type Predictor = ImagePredictor | TextPredictor | TablePredictor;

export interface RunDefinition<S extends Settings = Settings> {
  /** Short: part of folder names. */
  readonly name: string;
  /** One line: what is trained on what. */
  readonly title: string;
  /** All that can be set, with the values it has unless it is set. `epochs`, `lr` and `batchSize` have options of their own. */
  readonly settings: S;
  /** The values that a setting may have. */
  readonly choices?: { readonly [K in keyof S]?: readonly S[K][] };
  /** Called with the generator seeded. */
  create(settings: Chosen<S>): RunPlan | Promise<RunPlan>;
  /** For `nabla predict`. */
  predictor?(settings: Chosen<S>, facts: Readonly<Record<string, unknown>>): Predictor | Promise<Predictor>;
}

const RUN_DEFINITION: OptionNames<RunDefinition> = {
  name: true,
  title: true,
  settings: true,
  choices: true,
  create: true,
  predictor: true,
};

/**
 * A run that `nabla train` can carry out, with the types of its settings.
 *
 *     export default defineRun({
 *       name: 'digits',
 *       title: 'A linear model of the digits',
 *       settings: { epochs: 10, lr: 0.01 },
 *       create({ epochs, lr }) {
 *         const { train, validation } = digits().split({ train: 0.8, validation: 0.2 });
 *         const model = new Sequential(new Flatten(), new Linear(64, 10));
 *         return {
 *           model,
 *           optimizer: new AdamW(model.parameters(), { lr }),
 *           train: new DataLoader(train, { batchSize: 64, shuffle: true }),
 *           validation: new DataLoader(validation, { batchSize: 256 }),
 *           epochs,
 *         };
 *       },
 *     });
 */
export function defineRun<S extends Settings>(definition: RunDefinition<S>): RunDefinition<S> {
  checkRecord('defineRun', 'the definition', definition, 'name, title, settings, create');
  checkOptions('defineRun', definition, RUN_DEFINITION);
  const { name, title, settings, choices, create, predictor } = definition;
  checkText('defineRun', 'name', name);
  checkText('defineRun', 'title', title);
  checkRecord('defineRun', 'settings', settings, 'values');
  for (const [setting, value] of Object.entries(settings)) {
    if (['number', 'string', 'boolean'].includes(typeof value)) continue;
    throw wrongKind('defineRun', `setting '${setting}'`, value, 'Use a number, a text or a truth value');
  }
  if (choices !== undefined) {
    checkRecord('defineRun', 'choices', choices, 'lists');
    for (const [setting, values] of Object.entries(choices)) {
      if (!Object.hasOwn(settings, setting))
        throw new ArgumentError(`defineRun: choices names '${setting}', which is no setting. Add it to settings.`);
      checkList('defineRun', `choices of '${setting}'`, values, 'values');
    }
  }
  checkFunction('defineRun', create, 'create');
  if (predictor !== undefined) checkFunction('defineRun', predictor, 'predictor');
  return definition;
}
