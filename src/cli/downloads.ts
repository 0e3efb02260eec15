// Data sets that are downloaded on the way: --download allows it, for presets and own runs alike, and everything that a set
// does is shown on standard error. The word goes into the environment, which trial processes share.

import { downloadDefaults } from '../data/sets/files.js';
import { Interrupted } from './errors.js';
import { printable } from './printable.js';
import { ProgressBar, downloadLine } from './progress.js';
import type { Stop } from './signals.js';
import { bytes, terminalOf } from './terminal.js';

export interface DownloadOption {
  readonly download?: true;
}

/** What is under way, for the message of an interruption. */
let current: string | undefined;
let clearBar = (): void => {};

/** Lets data sets be downloaded, if the user says so, and shows how far that is. */
export function allowDownloads({ download }: DownloadOption, stop?: Stop): void {
  if (download === true) process.env.NABLA_DOWNLOAD = '1';
  downloadDefaults.advice = (size) => `Add --download to this command (${size}), put them there, or set NABLA_DATA.`;
  downloadDefaults.signal = stop?.abort;
  const terminal = terminalOf(process.stderr);
  const bar = new ProgressBar(terminal, undefined, false);
  let shown = '';
  clearBar = () => bar.clear();
  downloadDefaults.onProgress = ({ url, received, total }) => {
    const name = printable(decodeURIComponent(url.slice(url.lastIndexOf('/') + 1)));
    const isWhole = received === total;
    if (shown !== url) {
      shown = url;
      if (!terminal.isInteractive)
        terminal.line(`Downloading ${name}${total === undefined ? '' : `, ${bytes(total)}`} from ${new URL(url).host}`);
    }
    current = isWhole ? undefined : name;
    bar.draw((columns, style) => downloadLine({ name, received, total }, columns, style));
    if (!isWhole) return;
    bar.clear();
    if (terminal.isInteractive) terminal.line(`Downloaded ${name}, ${bytes(received)}`);
  };
}

/** What Ctrl-C means while a file is coming; any other error as it is. */
export function afterDownloads(error: unknown): unknown {
  clearBar();
  if (!(error instanceof Interrupted) || current === undefined) return error;
  return new Interrupted(
    `stopped while downloading ${current}; what has come is kept, and the same command goes on with it`,
    error.exitCode === 130 ? 'SIGINT' : 'SIGTERM',
  );
}
