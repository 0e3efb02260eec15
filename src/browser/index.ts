// The public surface of `nabla/browser`: what a page has to do around a model.

export { type BrowserFiles, type BrowserFilesOptions, openBrowserFiles } from './files.js';
export { type FromPixelsOptions, type PixelSource, fromPixels, toPixels } from './pixels.js';
export { type Exposed, type Remote, connect, expose } from './calls.js';
