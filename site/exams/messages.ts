// What a page of the exams and its worker say to each other; an answer carries the number of the question it belongs to.

import type { Given } from './exercise.js';

interface Asked {
  readonly number: number;
  readonly exam: string;
  readonly id: string;
}

export type ToWorker =
  /** Other numbers for a question. */
  | (Asked & { readonly kind: 'draw'; readonly random: readonly number[] })
  | (Asked & { readonly kind: 'solve'; readonly given: Given });

export interface Step {
  readonly text: string;
  readonly value: string;
}

export interface Solution {
  readonly answer: readonly number[];
  readonly steps: readonly Step[];
  readonly program: string;
}

export type ToPage =
  | { readonly kind: 'question'; readonly number: number; readonly given: Given; readonly html: string }
  | ({ readonly kind: 'solution'; readonly number: number } & Solution)
  | { readonly kind: 'error'; readonly number: number; readonly message: string };
