// nabla predict: classifies digits with saved weights, from a CSV file, standard input or the test part.

import { readFileSync } from 'node:fs';
import { type AnyTensor, tensor } from '../index.js';
import { loadSafetensors } from '../io/node/index.js';
import { UsageError } from './arguments.js';
import { type DigitsModel, digitsModel, digitsParts } from './digits-model.js';
import { confusionMatrix } from './draw.js';
import { classify, evaluate } from './evaluate.js';
import { findWeights } from './run-folder.js';
import { countConfusions, mistakes } from './train-digits.js';

export interface PredictOptions {
  readonly test?: boolean;
  readonly weights?: string;
  readonly json?: boolean;
}

const PIXELS = 64;
const BRIGHTEST = 16;
/** A line of 65 numbers is short: a larger input is not digits. */
const MOST_BYTES = 256 << 20;

export async function predict(file: string | undefined, options: PredictOptions): Promise<void> {
  if (options.test === true && file !== undefined)
    throw new UsageError('--test and a file exclude each other. Give one of them.');
  const path = findWeights(options.weights);
  const model = digitsModel();
  model.loadStateDict(loadWeights(path));
  if (options.test === true) await predictTest(model, path, options.json ?? false);
  else await predictLines(model, parseDigits(readInput(file), file ?? 'standard input'), options.json ?? false);
}

function loadWeights(path: string): Record<string, AnyTensor> {
  try {
    return loadSafetensors(path);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readInput(file: string | undefined): string {
  const source = file === undefined || file === '-' ? 0 : file;
  if (source === 0 && process.stdin.isTTY)
    throw new UsageError('no digits: give a CSV file, pipe lines in, or use --test.');
  try {
    const bytes = readFileSync(source);
    if (bytes.length > MOST_BYTES)
      throw new UsageError(`${file ?? 'standard input'} has ${bytes.length} bytes, more than ${MOST_BYTES}.`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file ?? 'standard input'} cannot be read: ${(error as Error).message}.`);
  }
}

interface Digits {
  readonly pixels: Float32Array;
  readonly labels: readonly (number | undefined)[];
}

/** 64 numbers from 0 to 16 a line, a 65th is the label; empty lines and a header of names are passed over. */
export function parseDigits(text: string, source: string): Digits {
  const pixels: number[] = [];
  const labels: (number | undefined)[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '') return;
    const cells = line.split(/[,;\t]|\s+(?=\S)/).map((c) => c.trim());
    if (i === 0 && cells.some((c) => /[a-df-z]/i.test(c) && !/^(nan|inf(inity)?)$/i.test(c))) return; // a header
    const where = `${source}, line ${i + 1}`;
    if (cells.length !== PIXELS && cells.length !== PIXELS + 1)
      throw new UsageError(`${where}: ${cells.length} numbers. A digit is 64, with its label 65.`);
    const values = cells.map((c) => (c === '' ? NaN : Number(c)));
    const bad = values.findIndex(
      (v, k) => !(v >= 0 && v <= (k === PIXELS ? 9 : BRIGHTEST)) || (k === PIXELS && !Number.isInteger(v)),
    );
    if (bad >= 0)
      throw new UsageError(
        `${where}: '${cells[bad]}' is not a ${bad === PIXELS ? 'label from 0 to 9' : 'pixel from 0 to 16'}.`,
      );
    for (let p = 0; p < PIXELS; p++) pixels.push(values[p] / BRIGHTEST);
    labels.push(values[PIXELS]);
  });
  if (labels.length === 0) throw new UsageError(`${source} holds no digits.`);
  return { pixels: Float32Array.from(pixels), labels };
}

async function predictLines(model: DigitsModel, { pixels, labels }: Digits, json: boolean): Promise<void> {
  const x = tensor(pixels, { shape: [labels.length, 1, 8, 8] }) as unknown as AnyTensor;
  const { classes, probabilities } = await classify(model, x);
  const lines = labels.map((label, i) => {
    if (json)
      return JSON.stringify({
        digit: classes[i],
        probability: probabilities[i],
        ...(label === undefined ? {} : { label }),
      });
    const verdict = label === undefined ? '' : label === classes[i] ? '  right' : `  wrong, it is ${label}`;
    return `${classes[i]}  ${(100 * probabilities[i]).toFixed(1).padStart(5)} %${verdict}`;
  });
  const labelled = labels.filter((l) => l !== undefined).length;
  const right = labels.filter((l, i) => l === classes[i]).length;
  if (!json && labelled > 0) lines.push(`${right} of ${labelled} right (${((100 * right) / labelled).toFixed(2)} %)`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function predictTest(model: DigitsModel, path: string, json: boolean): Promise<void> {
  const { test } = digitsParts();
  const result = await evaluate(model, test);
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ testAccuracy: result.accuracy, testLoss: result.loss, weights: path })}\n`,
    );
    return;
  }
  const lines = [
    `  ${path}: ${(100 * result.accuracy).toFixed(2)} % of ${test.length} test digits right`,
    '',
    ...confusionMatrix(countConfusions(result)),
    ...mistakes(result, test),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
