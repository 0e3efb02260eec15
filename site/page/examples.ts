// Examples of a page that can be run and edited there. Those of one page are one program, as the cells of a notebook: to run one runs
// those before it, too, in a worker that is made anew each time.

import { element } from '../lab/frame/element.js';
import type { ExampleMessage } from './example-worker.js';

interface Editor {
  edit(
    parent: HTMLElement,
    text: string,
    options: { readonly label: string; readonly run: () => void; readonly change: () => void },
  ): () => string;
}
interface Compiler {
  scriptOf(cells: readonly string[]): string;
}

const here = new URL('.', import.meta.url);
const load = <T>(name: string): Promise<T> => import(new URL(name, here).href);

class Example {
  readonly root: HTMLElement;
  readonly original: string;
  private readonly listing: HTMLElement;
  private readonly output = element('pre', { className: 'printed', tabIndex: 0, hidden: true });
  private readonly status = element('span', { className: 'status' });
  private readonly runButton = element('button', { type: 'button' }, 'Run');
  private readonly editButton = element('button', { type: 'button' }, 'Edit');
  private editor: { readonly element: HTMLElement; text: () => string } | undefined;

  constructor(root: HTMLElement, label: string, run: () => void) {
    this.root = root;
    this.listing = root.querySelector('pre')!;
    this.original = this.listing.textContent ?? '';
    this.output.setAttribute('aria-label', `${label} prints`);
    this.status.setAttribute('role', 'status');
    this.runButton.setAttribute('aria-label', `Run ${label}`);
    this.editButton.setAttribute('aria-label', `Edit ${label}`);
    this.runButton.addEventListener('click', run);
    this.editButton.addEventListener('click', () => void (this.editor ? this.restore() : this.edit(label, run)));
    root.append(element('div', { className: 'bar' }, this.runButton, this.editButton, this.status), this.output);
  }

  get code(): string {
    return this.editor?.text() ?? this.original;
  }

  begin(): void {
    this.output.replaceChildren();
    this.output.hidden = true;
    this.show('running', 'Running…');
  }

  print(text: string, kind: 'line' | 'warning' | 'error'): void {
    this.output.hidden = false;
    this.output.append(element('span', { className: kind }, `${text}\n`));
  }

  show(state: '' | 'running' | 'done' | 'error', text = ''): void {
    this.root.dataset['state'] = state;
    this.status.textContent = text;
    this.runButton.textContent = state === 'running' ? 'Stop' : 'Run';
  }

  private async edit(label: string, run: () => void): Promise<void> {
    const { edit } = await load<Editor>('editor.js');
    const place = element('div', { className: 'editor' });
    this.listing.hidden = true;
    this.listing.after(place);
    const change = (): void => this.show('');
    this.editor = { element: place, text: edit(place, this.original.trimEnd(), { label, run, change }) };
    this.editButton.textContent = 'Restore';
    this.editButton.setAttribute('aria-label', `Restore ${label}`);
  }

  private restore(): void {
    this.editor?.element.remove();
    this.editor = undefined;
    this.listing.hidden = false;
    this.editButton.textContent = 'Edit';
    this.show('');
  }
}

class Page {
  private readonly examples: readonly Example[];
  private worker: Worker | undefined;
  private last = -1;

  constructor(roots: readonly HTMLElement[]) {
    this.examples = roots.map((root, i) => new Example(root, `example ${i + 1}`, () => void this.run(i)));
  }

  private async run(last: number): Promise<void> {
    const isRunning = this.worker !== undefined;
    if (isRunning) {
      this.end();
      for (const example of this.examples.slice(0, this.last + 1)) example.show('', 'Stopped');
      if (this.last === last) return;
    }
    this.last = last;
    const cells = this.examples.slice(0, last + 1);
    for (const cell of cells) cell.begin();
    try {
      const { scriptOf } = await load<Compiler>('program.js');
      const script = scriptOf(cells.map(({ code }) => code));
      const worker = new Worker(new URL('example-worker.js', here));
      this.worker = worker;
      worker.onmessage = ({ data }: MessageEvent<ExampleMessage>) => this.receive(data, cells);
      worker.onerror = (event) => this.fail(cells, last, event.message);
      worker.postMessage(script);
    } catch (error) {
      this.fail(cells, last, error instanceof Error ? error.message : String(error)); // a mistake in what was typed
    }
  }

  private receive(message: ExampleMessage, cells: readonly Example[]): void {
    if (message.kind === 'line') cells[message.cell]!.print(message.text, message.isWarning ? 'warning' : 'line');
    else if (message.kind === 'error') this.fail(cells, message.cell, message.text);
    else {
      this.end();
      for (const cell of cells) cell.show('done', 'Done');
    }
  }

  private fail(cells: readonly Example[], at: number, text: string): void {
    this.end();
    cells.forEach((cell, i) => cell.show(i === at ? 'error' : '', ''));
    cells[at]!.print(text, 'error');
  }

  private end(): void {
    this.worker?.terminate();
    this.worker = undefined;
  }
}

new Page([...document.querySelectorAll<HTMLElement>('.example')]);
