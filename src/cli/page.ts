// The page that a run's report is written on: the terminal, and the run's folder for pictures.

import { join } from 'node:path';
import type { Page } from '../train/index.js';
import { writeOutput } from './output-file.js';
import { printable } from './printable.js';
import { writeConfusion } from '../train/confusion.js';
import type { Terminal } from './terminal.js';

export function pageOf(terminal: Terminal, folder: string): Page {
  return {
    line: (text) => terminal.line(text),
    columns: terminal.columns,
    style: terminal.style,
    confusion: (found) => writeConfusion(folder, found),
    async picture(name, file) {
      const path = join(folder, name);
      await writeOutput(path, file);
      terminal.line(`Picture: ${printable(path)}`);
    },
  };
}
