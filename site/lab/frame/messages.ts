// What page and worker say to each other. A run is one start of a figure's computation; answers of runs that are over are dropped.
// The worker computes at most `AHEAD` frames that the page has not yet drawn: a hidden or paused figure costs nothing.

import type { Frame, Settings } from './figure.js';

export const AHEAD = 2;

export type ToWorker =
  | { readonly kind: 'start'; readonly run: number; readonly figure: string; readonly settings: Settings }
  | { readonly kind: 'change'; readonly run: number; readonly settings: Settings }
  | { readonly kind: 'next'; readonly run: number };

export type ToPage =
  | { readonly kind: 'frame'; readonly run: number; readonly frame: Frame }
  | { readonly kind: 'end'; readonly run: number }
  | { readonly kind: 'error'; readonly run: number; readonly message: string };
