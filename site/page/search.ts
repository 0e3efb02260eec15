// Search over all pages: `/` or Ctrl-K opens it, arrows choose, Enter goes there. The index is made by the builder and is loaded, with the
// program that looks things up in it, when the search is first opened.

import { element } from '../lab/frame/element.js';

/** What is found, best first. */
export interface Found {
  /** Address from the site's folder. */
  readonly url: string;
  readonly title: string;
  /** The heading below which it stands. */
  readonly section: string;
  readonly part: string;
  readonly text: string;
  /** The words that fit. */
  readonly terms: readonly string[];
}

interface Engine {
  load(url: URL): Promise<(query: string) => readonly Found[]>;
}

const MOST = 12;

export function openSearch(root: URL): void {
  const button = document.querySelector<HTMLButtonElement>('#search');
  if (!button) return;
  let panel: Panel | undefined;
  const open = (): void => {
    panel ??= new Panel(root);
    panel.open();
  };
  button.addEventListener('click', open);
  addEventListener('keydown', (event) => {
    const { target } = event;
    const isTyping =
      target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
    const isAsked =
      (event.key === '/' && !isTyping && !event.altKey) || (event.key === 'k' && (event.ctrlKey || event.metaKey));
    if (!isAsked) return;
    event.preventDefault();
    open();
  });
}

class Panel {
  private readonly root: URL;
  private readonly input = element('input', {
    type: 'text',
    id: 'search-input',
    placeholder: 'Search pages, names, exams',
    autocomplete: 'off',
    spellcheck: false,
  });
  private readonly list = element('ul', { id: 'search-results' });
  private readonly status = element('p', { className: 'search-status' });
  private readonly dialog = element('dialog', { className: 'search', ariaLabel: 'Search' });
  private find: ((query: string) => readonly Found[]) | undefined;
  private chosen = -1;

  constructor(root: URL) {
    this.root = root;
    const { input, list, status, dialog } = this;
    for (const [name, value] of Object.entries({
      role: 'combobox',
      'aria-label': 'Search',
      'aria-expanded': 'false',
      'aria-controls': list.id,
      'aria-autocomplete': 'list',
    }))
      input.setAttribute(name, value);
    list.setAttribute('role', 'listbox');
    list.setAttribute('aria-label', 'What is found');
    status.setAttribute('role', 'status');
    dialog.append(input, status, list);
    document.body.append(dialog);
    input.addEventListener('input', () => this.show());
    input.addEventListener('keydown', (event) => this.key(event));
    dialog.addEventListener('click', (event) => void (event.target === dialog && dialog.close()));
    void this.load();
  }

  open(): void {
    this.dialog.showModal();
    this.input.select();
  }

  private async load(): Promise<void> {
    this.status.textContent = 'Loading the index…';
    try {
      const engine: Engine = await import(new URL('search-engine.js', this.root).href);
      this.find = await engine.load(new URL('search-index.json', this.root));
      this.show();
    } catch (error) {
      this.status.textContent = `The index cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  private show(): void {
    if (!this.find) return;
    const query = this.input.value.trim();
    const found = query ? this.find(query).slice(0, MOST) : [];
    this.list.replaceChildren(...found.map((one, i) => this.row(one, i)));
    this.input.setAttribute('aria-expanded', String(found.length > 0));
    this.status.textContent = !query ? '' : found.length > 0 ? '' : `Nothing has ‘${query}’.`;
    this.choose(found.length > 0 ? 0 : -1);
  }

  private row({ url, title, section, part, text, terms }: Found, i: number): HTMLElement {
    const row = element('li', { id: `search-result-${i}` });
    row.setAttribute('role', 'option');
    const link = element('a', { href: new URL(url, this.root).href, tabIndex: -1 });
    const name = section && section !== title ? `${title} › ${section}` : title;
    link.append(element('b', {}, name), element('small', {}, part), element('span', {}, ...excerpt(text, terms)));
    // A place in this very page needs no loading: the dialog would stay.
    link.addEventListener('click', () => this.dialog.close());
    row.append(link);
    row.addEventListener('pointermove', () => this.choose(i));
    return row;
  }

  private key(event: KeyboardEvent): void {
    const count = this.list.children.length;
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: (this.chosen + 1) % count,
      ArrowUp: (this.chosen - 1 + count) % count,
    };
    const to = moves[event.key];
    if (to !== undefined && count > 0) {
      event.preventDefault();
      this.choose(to);
    } else if (event.key === 'Enter' && this.chosen >= 0) {
      event.preventDefault();
      this.list.children[this.chosen]!.querySelector('a')!.click();
    }
  }

  private choose(i: number): void {
    this.list.children[this.chosen]?.setAttribute('aria-selected', 'false');
    this.chosen = i;
    const row = this.list.children[i];
    row?.setAttribute('aria-selected', 'true');
    row?.scrollIntoView({ block: 'nearest' });
    if (row) this.input.setAttribute('aria-activedescendant', row.id);
    else this.input.removeAttribute('aria-activedescendant');
  }
}

/** The part of the text around the first word that fits, with the words marked. */
function excerpt(text: string, terms: readonly string[]): (Node | string)[] {
  if (terms.length === 0) return [text.slice(0, 140)];
  const words = terms
    .map((term) => term.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .toSorted((a, b) => b.length - a.length);
  const fits = new RegExp(`(${words.join('|')})`, 'gi');
  const at = Math.max(0, text.search(fits) - 50);
  const begin = at === 0 ? 0 : text.indexOf(' ', at) + 1;
  const piece = `${begin > 0 ? '… ' : ''}${text.slice(begin, begin + 150)}`;
  return piece.split(fits).map((part, i) => (i % 2 === 1 ? element('mark', {}, part) : part));
}
