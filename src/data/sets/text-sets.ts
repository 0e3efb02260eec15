// Sets of texts in files: messages that are spam or not, and sentences with their translations.
// Files in, lists of strings out. They are no part of the package and are not downloaded: the folders say where they are looked for.

import { ArgumentError, checkOptions, FormatError, type OptionNames } from '../../tensor/library.js';
import { readCsv, readText } from '../read.js';
import { locate, namesOf, type SetOptions } from './files.js';

export type TextSetOptions = Pick<SetOptions, 'folder'>;

const TEXT_SET_OPTIONS: OptionNames<TextSetOptions> = { folder: true };

export interface MessageData {
  readonly texts: readonly string[];
  /** 1 for spam, 0 for ham. */
  readonly labels: Int32Array;
}

/**
 * 5,574 short messages of which 747 are spam: the SMS Spam Collection (Almeida and Hidalgo 2011; UCI, CC BY 4.0). Read from `sms_spam.csv` with the
 * columns `label` (ham, spam) and `message`. Throws NablaError if it is not there, FormatError if it is damaged.
 */
export function smsSpam(options: TextSetOptions = {}): Promise<MessageData> {
  checkOptions('smsSpam', options, TEXT_SET_OPTIONS);
  return readMessages(options);
}

async function readMessages(options: TextSetOptions): Promise<MessageData> {
  const layouts = [{ table: namesOf('sms_spam.csv', 'text') }];
  const { paths } = await locate({ name: 'sms_spam', call: 'smsSpam', layouts }, [], options);
  const path = paths['table'];
  const table = await readCsv(path, { types: { label: 'text', message: 'text' }, missing: [] });
  const [labels, messages] = ['label', 'message'].map((name) => table.column(name));
  if (labels.kind !== 'text' || messages.kind !== 'text')
    throw new FormatError(`smsSpam: ${path} has no texts in its columns label and message.`, path);
  const wrong = labels.values.findIndex((label) => label !== 'ham' && label !== 'spam');
  if (wrong >= 0)
    throw new FormatError(
      `smsSpam: ${path}, line ${table.lines[wrong]}: '${labels.values[wrong]}' is no label: ham or spam.`,
      path,
    );
  return { texts: messages.values, labels: Int32Array.from(labels.values, (label) => Number(label === 'spam')) };
}

/** Sentences and their translations, one for each. */
export interface SentencePairs {
  readonly source: readonly string[];
  readonly target: readonly string[];
}

export interface TranslationData {
  readonly train: SentencePairs;
  readonly validation: SentencePairs;
  readonly test: SentencePairs;
}

export interface Multi30kOptions extends TextSetOptions {
  /** The language of the sources; the targets are in the other one. Default 'de'. */
  readonly from?: 'de' | 'en';
}

const MULTI30K_OPTIONS: OptionNames<Multi30kOptions> = { ...TEXT_SET_OPTIONS, from: true };

/**
 * Descriptions of pictures in German and English: 29,000 pairs to train, 1,014 to validate, and the 1,000 of Flickr 2016 to test (Multi30k, Elliott
 * et al. 2016, task 1). Read from `train.de`, `train.en`, `val.de`, …, `test_2016_flickr.en`, a sentence a line. Throws NablaError if they are not
 * there, FormatError if two of them do not have the same number of lines.
 */
export function multi30k(options: Multi30kOptions = {}): Promise<TranslationData> {
  checkOptions('multi30k', options, MULTI30K_OPTIONS);
  const { from = 'de', ...rest } = options;
  if (from !== 'de' && from !== 'en') throw new ArgumentError(`multi30k: from is '${String(from)}'. Use 'de' or 'en'.`);
  return readTranslations(from, rest);
}

async function readTranslations(from: 'de' | 'en', options: TextSetOptions): Promise<TranslationData> {
  const parts = { train: 'train', validation: 'val', test: 'test_2016_flickr' };
  const files = Object.entries(parts).flatMap(([part, name]) =>
    (['de', 'en'] as const).map((language) => [`${part}.${language}`, namesOf(`${name}.${language}`)] as const),
  );
  const set = { name: 'multi30k', call: 'multi30k', layouts: [Object.fromEntries(files)] };
  const { paths } = await locate(set, [], options);
  const pairs = async (part: string): Promise<SentencePairs> => {
    const other = from === 'de' ? 'en' : 'de';
    const [source, target] = await Promise.all([from, other].map((name) => readLines(paths[`${part}.${name}`])));
    if (source.length === target.length) return { source, target };
    const path = paths[`${part}.${from}`];
    throw new FormatError(
      `multi30k: ${path} has ${source.length} lines, the translation has ${target.length}. Fetch both again.`,
      path,
    );
  };
  return { train: await pairs('train'), validation: await pairs('validation'), test: await pairs('test') };
}

/** The lines of a file without white space at their ends; one that ends the file is none. */
async function readLines(path: string): Promise<string[]> {
  const lines = (await readText(path)).split(/\r?\n/).map((line) => line.trim());
  if (lines[lines.length - 1] === '') lines.pop();
  return lines;
}
