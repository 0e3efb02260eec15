// What page, worker and painter say to each other. A run is one start of a figure's computation; answers of runs that are over are dropped.
// The worker computes at most `AHEAD` frames that the page has not yet handed to the painter: a hidden or paused figure costs nothing.

import type { Frame, Settings } from './figure.js';
import type { Look } from './plot.js';

export const AHEAD = 2;

export type ToWorker =
  | { readonly kind: 'start'; readonly run: number; readonly figure: string; readonly settings: Settings }
  | { readonly kind: 'change'; readonly run: number; readonly settings: Settings }
  | { readonly kind: 'next'; readonly run: number };

export type ToPage =
  | { readonly kind: 'frame'; readonly run: number; readonly frame: Frame }
  | { readonly kind: 'end'; readonly run: number }
  | { readonly kind: 'error'; readonly run: number; readonly message: string };

/** Width and height of views in pixels of the page. */
export type Sizes = Readonly<Record<string, readonly [width: number, height: number]>>;

/** To the one worker that draws the figures of a page. */
export type ToPainter =
  | { readonly kind: 'look'; readonly look: Look }
  | {
      readonly kind: 'canvases';
      readonly figure: string;
      readonly canvases: Readonly<Record<string, OffscreenCanvas>>;
    }
  | { readonly kind: 'sizes'; readonly figure: string; readonly sizes: Sizes }
  | { readonly kind: 'settings'; readonly figure: string; readonly settings: Settings }
  | { readonly kind: 'draw'; readonly figure: string; readonly frame: Frame }
  /** A place of a view was touched, in pixels of the page. */
  | { readonly kind: 'point'; readonly figure: string; readonly view: string; readonly at: readonly [number, number] };

export type FromPainter =
  | { readonly kind: 'drawn'; readonly figure: string }
  /** What a touch has set. */
  | { readonly kind: 'set'; readonly figure: string; readonly settings: Settings }
  | { readonly kind: 'failed'; readonly figure: string; readonly message: string };
