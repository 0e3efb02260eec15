// Readers of option values: text → value, or commander's InvalidArgumentError with what would be right.

import { InvalidArgumentError } from 'commander';
import { readNumber } from './number-text.js';

/** A reader of whole numbers from `low` to `high`. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = readNumber(text);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`Use a whole number from ${low} to ${high}.`);
  };
}

/** A reader of numbers above 0, up to `high`. */
export function positiveNumber(high: number): (text: string) => number {
  return (text) => {
    const value = readNumber(text);
    if (value > 0 && value <= high) return value;
    throw new InvalidArgumentError(`Use a number above 0, at most ${high}.`);
  };
}

/** A reader of numbers from 0 to `high`. */
export function nonNegative(high: number): (text: string) => number {
  return (text) => {
    const value = readNumber(text);
    if (value >= 0 && value <= high) return value;
    throw new InvalidArgumentError(`Use a number from 0 to ${high}.`);
  };
}

/** A reader of numbers from `low` to `high`. */
export function numberFrom(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = readNumber(text);
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`Use a number from ${low} to ${high}.`);
  };
}

/** key=value, any number of times. */
export function collect(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at > 0) return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
  throw new InvalidArgumentError('Use key=value.');
}

/** old=new, any number of times; the new name may be empty. */
export function collectRenames(text: string, before: readonly Rename[] = []): readonly Rename[] {
  const at = text.indexOf('=');
  if (at > 0) return [...before, { from: text.slice(0, at), to: text.slice(at + 1) }];
  throw new InvalidArgumentError('Use old=new.');
}

export interface Rename {
  readonly from: string;
  readonly to: string;
}

/** Texts, any number of times. */
export function collectTexts(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** 224 for both sides, or 240x320: height and width. */
export function pictureSize(text: string): readonly [number, number] {
  const [height, width = height, ...more] = text.split(/[x×]/).map(readNumber);
  const isSide = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= 16_384;
  if (more.length === 0 && isSide(height) && isSide(width)) return [height, width];
  throw new InvalidArgumentError('Use a side such as 224, or height and width such as 240x320.');
}
