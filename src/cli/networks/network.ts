// A network of nabla's own, whatever it comes from, as commands use it: a module with named inputs, and what is known about them.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Module } from '../../nn/index.js';
import type { Tokenizer } from '../../text/index.js';
import { nearest } from '../../tensor/nearest.js';
import type { DownloadOption } from '../downloads.js';
import { CliError } from '../errors.js';
import { isRunFolder } from '../run-folder.js';
import { ZOO_NAMES, zooNameOf } from './zoo-names.js';

/** A size, or the name of one that may be any. */
export type Size = number | string;

export interface NetworkInput {
  readonly name: string;
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly Size[];
  /** It may be left out. */
  readonly isOptional?: boolean;
}

/** How a picture becomes numbers: channels, height and width, and what is done to numbers from 0 to 1. */
export interface PictureInput {
  readonly shape: readonly [number, number, number];
  /** Reads a picture file: numbers that the network takes, one image. */
  read(path: string): Promise<Float32Array>;
}

/** Which tokens a model of language has logits for: the one behind each position, or the one at each position. */
export type TokenKind = 'next' | 'masked';

/** What is known of a network besides its inputs. */
export interface NetworkFacts {
  /** One line: what it is and where its weights are from. */
  readonly what: string;
  /** Names of the classes, where it says which of them an input belongs to. */
  readonly classes?: readonly string[];
  /** How it reads a picture, where its one input is one and nothing else is asked for. */
  readonly picture?: PictureInput;
  /** Where it takes texts. */
  readonly tokenizer?: Tokenizer;
  /** The characters of a model of characters, in the order of their numbers. */
  readonly characters?: readonly string[];
  /** Where its output has logits of tokens. */
  readonly predicts?: TokenKind;
}

export interface Network extends NetworkFacts {
  /** In evaluation mode, with its weights. */
  readonly module: Module & { forward(...given: never[]): unknown };
  readonly inputs: readonly NetworkInput[];
}

export interface NetworkOptions extends DownloadOption {
  /** A file of weights, for a network that is named. */
  readonly weights?: string;
  /** [height, width] of images, where the network leaves it open. */
  readonly size?: readonly [number, number];
  readonly definition?: string;
  readonly trust?: true;
}

export type NetworkKind = 'run' | 'pretrained' | 'zoo';

/** What a name or a path is; undefined for a file, which is no network of nabla's. Throws CliError where there is nothing. */
export function networkKindOf(source: string): NetworkKind | undefined {
  if (!existsSync(source)) {
    if (zooNameOf(source) !== undefined) return 'zoo';
    throw new CliError(missing(source));
  }
  if (!statSync(source).isDirectory()) return undefined;
  if (isRunFolder(source)) return 'run';
  if (isPretrained(source)) return 'pretrained';
  throw new CliError(
    `${source} is a folder without a model: it is neither one that nabla train has made nor one of transformers' with a config.json.`,
  );
}

function missing(source: string): string {
  if (/[./\\]/.test(source)) return `cannot read ${source}: there is no such file or folder.`;
  const near = nearest(source, ZOO_NAMES);
  const advice = near === undefined ? `Models by name are ${ZOO_NAMES.join(', ')}.` : `The nearest name is ${near}.`;
  return `there is no file and no model '${source}'. ${advice}`;
}

function isPretrained(folder: string): boolean {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return false;
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof content === 'object' && content !== null && 'model_type' in content;
  } catch {
    return false;
  }
}

/** Opens a network. Throws CliError for what is none, and for options that do not concern it. */
export async function openNetwork(kind: NetworkKind, source: string, options: NetworkOptions): Promise<Network> {
  if (kind !== 'zoo' && options.weights !== undefined)
    throw new CliError(`--weights: ${source} has its own. It is for a network that is named, such as resnet18.`);
  if (kind !== 'zoo' && options.size !== undefined)
    throw new CliError(`--size: ${source} says itself what it takes. It is for a network that is named.`);
  if (kind === 'run') return (await import('./run-network.js')).openRunNetwork(source, options);
  if (kind === 'pretrained') return (await import('./pretrained-network.js')).openPretrained(source);
  return (await import('./zoo.js')).openZoo(source, options);
}

/** What to do with a file that holds weights and no network. */
export function weightsAlone(path: string, command: string): CliError {
  return new CliError(
    `${path} holds weights, and not how a network is made of them. Name the network: nabla ${command} --weights ${path}.`,
  );
}
