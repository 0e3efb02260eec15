// A control that takes a file of one's own: chosen, dropped on the figure or pasted. What is read of it stays in the page.

import type { ControlRow } from './controls.js';
import { element } from './element.js';
import type { Picture, Setting, Table } from './figure.js';

export interface FileKind {
  /** What the chooser offers. */
  readonly accept: string;
  readonly isPasted: (type: string) => boolean;
  readonly read: (file: Blob) => Promise<string>;
  /** What is said if it cannot be read; an error's own words come behind it. */
  readonly failure: string;
}

const HINT = 'Or drop or paste one here. It stays in this page.';

export function fileRow(
  figure: string,
  id: string,
  control: Picture | Table,
  { accept, isPasted, read, failure }: FileKind,
  give: (value: Setting) => void,
): ControlRow {
  const input = element('input', { type: 'file', id, accept });
  const back = element('button', { type: 'button', textContent: control.otherwise, hidden: true });
  const words = element('span', { className: 'hint', role: 'status' }, HINT);
  const take = async (file: Blob | null | undefined): Promise<void> => {
    if (!file) return;
    try {
      give(await read(file));
      words.textContent = HINT;
    } catch (error) {
      words.textContent = error instanceof RangeError ? error.message : failure;
    }
  };
  input.onchange = () => void take(input.files?.[0]);
  back.onclick = () => {
    input.value = '';
    give('');
  };
  const root = document.getElementById(figure)!;
  root.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    root.classList.add('dropping');
  });
  for (const kind of ['dragleave', 'drop']) root.addEventListener(kind, () => root.classList.remove('dropping'));
  root.addEventListener('drop', (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    void take(file);
  });
  document.addEventListener('paste', (event) => {
    const { top, bottom } = root.getBoundingClientRect();
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => isPasted(type));
    if (file && bottom > 0 && top < innerHeight) void take(file);
  });
  return {
    element: element(
      'div',
      { className: 'control' },
      element('label', { htmlFor: id }, control.label),
      back,
      input,
      words,
    ),
    show: (value) => {
      back.hidden = value === '';
      if (value === '') input.value = '';
    },
  };
}

/** A text in UTF-8 of at most so many bytes. */
export const tableKind = ({ most }: Table): FileKind => ({
  accept: '.csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain',
  isPasted: (type) => type.startsWith('text/'),
  failure: 'This is no text that the browser can read.',
  async read(file) {
    if (file.size > most)
      throw new RangeError(`The file has ${Math.ceil(file.size / 1000)} kB; ${most / 1000} kB fit here.`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  },
});
