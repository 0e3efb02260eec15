// A control that puts a network together from blocks: dragged from the palette into the list and up and down in it, with mouse, finger or pen; with
// keys by the buttons of the palette and the arrows on a block's handle. The list is text as well, which can be edited beside it.

import type { ControlRow } from './controls.js';
import { element } from './element.js';
import type { Blocks, Frame, Note, Setting, Settings } from './figure.js';
import { short } from './plot.js';

interface Block {
  readonly name: string;
  readonly numbers: readonly string[];
}

const parse = (text: string): Block[] =>
  text
    .split(/[;\n]/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const [name = '', ...numbers] = part.split(/\s+/);
      return { name, numbers };
    });
const format = (blocks: readonly Block[]): string =>
  blocks.map(({ name, numbers }) => [name, ...numbers].join(' ')).join('; ');

/** 1234567 → 1.235e6 is nothing to read: 1.23 M */
const count = (n: number): string =>
  n >= 1e9 ? `${short(Number((n / 1e9).toPrecision(3)))} G` : n >= 1e6 ? `${short(Number((n / 1e6).toPrecision(3)))} M` : n >= 1e4 ? `${short(Number((n / 1e3).toPrecision(3)))} k` : String(n); // prettier-ignore

export function blocksRow(
  id: string,
  control: Blocks,
  value: Setting,
  give: (value: Setting, besides?: Settings) => void,
): ControlRow {
  return new BlockList(id, control, String(value), give).row;
}

class BlockList {
  readonly row: ControlRow;
  private blocks: Block[];
  private readonly list: HTMLOListElement;
  private readonly text: HTMLTextAreaElement;
  private readonly code = element('code');
  private readonly listing: HTMLElement;
  private readonly control: Blocks;
  private readonly give: (value: Setting, besides?: Settings) => void;

  constructor(id: string, control: Blocks, value: string, give: (value: Setting, besides?: Settings) => void) {
    [this.control, this.give, this.blocks] = [control, give, parse(value)];
    this.list = element('ol', { className: 'blocks', ariaLabel: control.label });
    this.text = element('textarea', { id, rows: 3, spellcheck: false, maxLength: 2000, value });
    this.text.onchange = () => this.change(parse(this.text.value));
    this.listing = element(
      'details',
      { className: 'listing' },
      element('summary', {}, 'Its code'),
      element('pre', { tabIndex: 0 }, this.code),
    );
    const palette = element('div', { className: 'palette', role: 'group', ariaLabel: 'Layers to add' });
    for (const [name, { label, numbers }] of Object.entries(control.palette)) {
      const fresh: Block = { name, numbers: Object.values(numbers).map(String) };
      const button = element(
        'button',
        { type: 'button', title: 'Adds it at the end; drag it to where it belongs' },
        `+ ${label}`,
      );
      button.onclick = () => this.change([...this.blocks, fresh], this.blocks.length);
      this.drag(button, (at) => this.change(this.blocks.toSpliced(at, 0, fresh), at));
      palette.append(button);
    }
    const label = element('label', { htmlFor: id }, `${control.label}, as text`);
    this.row = {
      element: element(
        'div',
        { className: 'control building' },
        element('b', {}, control.label),
        palette,
        this.list,
        label,
        this.text,
        this.listing,
      ),
      show: (shown) => {
        if (String(shown) === format(this.blocks)) return;
        this.blocks = parse(String(shown));
        this.draw();
      },
      tell: (frame) => this.tell(frame),
    };
    this.draw();
  }

  private change(blocks: Block[], focused?: number): void {
    this.blocks = blocks;
    this.draw();
    if (focused !== undefined) this.list.children[focused]?.querySelector<HTMLElement>('.handle')?.focus();
    this.give(format(blocks), this.control.besides);
  }

  private draw(): void {
    this.text.value = format(this.blocks);
    this.list.replaceChildren(...this.blocks.map((block, i) => this.item(block, i)));
  }

  private item({ name, numbers }: Block, i: number): HTMLLIElement {
    const { label = name, numbers: names = {} } = this.control.palette[name] ?? {};
    const handle = element('button', {
      type: 'button',
      className: 'handle',
      textContent: '⠿',
      ariaLabel: `${label}, ${i + 1} of ${this.blocks.length}: arrow keys move it, Delete takes it away`,
    });
    const moveTo = (at: number): void => {
      const rest = this.blocks.toSpliced(i, 1);
      const to = Math.max(0, Math.min(rest.length, at));
      if (to !== i) this.change(rest.toSpliced(to, 0, this.blocks[i]!), to);
    };
    const remove = (): void => this.change(this.blocks.toSpliced(i, 1), Math.min(i, this.blocks.length - 2));
    handle.onkeydown = (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (step !== undefined) moveTo(i + step);
      else if (event.key === 'Delete' || event.key === 'Backspace') remove();
      else return;
      event.preventDefault();
    };
    const fields = Object.entries(names).map(([what, first], k) => {
      const input = element('input', { type: 'number', min: '1', max: '4096', value: numbers[k] ?? String(first), ariaLabel: `${label}: ${what}`, title: what }); // prettier-ignore
      input.onchange = () => {
        const given = Object.values(names).map((usual, j) =>
          j === k ? input.value || '0' : (numbers[j] ?? String(usual)),
        );
        this.change(this.blocks.with(i, { name, numbers: given }));
      };
      return input;
    });
    const away = element('button', {
      type: 'button',
      textContent: '×',
      ariaLabel: `Take away ${label}`,
      onclick: remove,
    });
    const made = element('li', {}, handle, element('span', {}, label), ...fields, away, element('small'));
    this.drag(handle, (at) => moveTo(at > i ? at - 1 : at), made);
    return made;
  }

  /** Follows the pointer from an element to a place in the list, which a line shows. */
  private drag(from: HTMLElement, drop: (at: number) => void, moved?: HTMLElement): void {
    from.addEventListener('pointerdown', (down) => {
      if (down.button !== 0) return;
      let at: number | undefined;
      from.setPointerCapture(down.pointerId);
      const move = (event: PointerEvent): void => {
        if (at === undefined && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 6) return;
        const items = [...this.list.children] as HTMLElement[];
        const found = items.findIndex((item) => {
          const { top, height } = item.getBoundingClientRect();
          return event.clientY < top + height / 2;
        });
        at = found < 0 ? items.length : found;
        moved?.classList.add('moved');
        items.forEach((item, i) => {
          item.classList.toggle('before', i === at);
          item.classList.toggle('after', at === items.length && i === items.length - 1);
        });
      };
      const end = (event: PointerEvent): void => {
        from.removeEventListener('pointermove', move);
        from.removeEventListener('pointerup', end);
        from.removeEventListener('pointercancel', end);
        for (const item of this.list.children) item.classList.remove('before', 'after', 'moved');
        if (at === undefined || event.type === 'pointercancel') return;
        // The click that follows a drag is none.
        const swallow = (click: Event): void => click.stopImmediatePropagation();
        from.addEventListener('click', swallow, { capture: true });
        setTimeout(() => from.removeEventListener('click', swallow, { capture: true }));
        drop(at);
      };
      from.addEventListener('pointermove', move);
      from.addEventListener('pointerup', end);
      from.addEventListener('pointercancel', end);
    });
  }

  private tell({ notes, code }: Frame): void {
    this.listing.hidden = code === undefined;
    this.code.textContent = code ?? '';
    [...this.list.children].forEach((item, i) => {
      const note: Note | undefined = notes?.[i];
      const place = item.querySelector('small')!;
      item.classList.toggle('wrong', Boolean(note?.problem));
      place.textContent = note ? note.problem || wordsOf(note) : '';
    });
  }
}

/** 16 × 32 × 32 · 448 parameters · 442 k multiply-adds */
const wordsOf = ({ shape, parameters, multiplyAdds }: Note): string =>
  [
    shape.join(' × '),
    ...(parameters > 0 ? [`${count(parameters)} parameters`] : []),
    ...(multiplyAdds > 0 ? [`${count(multiplyAdds)} multiply-adds`] : []),
  ].join(' · ');
