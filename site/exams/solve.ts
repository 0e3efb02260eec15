// Runs the program of an exercise and keeps what it tells.

import { type AnyTensor, Tensor } from 'nabla';
import { type Exam, type Exercise, type Given, programOf } from './exercise.js';
import type { Solution, Step } from './messages.js';

const MOST_NUMBERS = 64;

export async function solve(exam: Exam, exercise: Exercise, given: Given): Promise<Solution> {
  const steps: Step[] = [];
  const answer = await exercise.solve(given, async (text, value) => {
    steps.push({ text, value: value === undefined ? '' : await write(value) });
  });
  return { answer: answer.map(Number), steps, program: programOf(exam, exercise, given) };
}

async function write(value: unknown): Promise<string> {
  if (value instanceof Tensor) return writeTensor(value);
  return typeof value === 'number' ? writeNumber(value) : String(value);
}

async function writeTensor(value: AnyTensor): Promise<string> {
  if (value.size > MOST_NUMBERS) return `${value.shape.join('×')} numbers`;
  return writeNested(await value.array());
}

const writeNested = (value: unknown): string =>
  Array.isArray(value)
    ? `(${value.map(writeNested).join(Array.isArray(value[0]) ? '; ' : ', ')})`
    : writeNumber(Number(value));

function writeNumber(value: number): string {
  if (value === Infinity || value === -Infinity) return value > 0 ? '∞' : '−∞';
  const plain = Math.abs(value) < 1e-12 ? 0 : value;
  const isSmall = plain !== 0 && Math.abs(plain) < 1e-4;
  return (
    isSmall ? plain.toExponential(1) : String(Number(plain.toPrecision(Math.abs(plain) >= 1e5 ? 12 : 5)))
  ).replace('-', '−');
}
