// One control of a figure as a labelled input of the browser's own: keyboard and screen readers come with it.

import { blocksRow } from './blocks.js';
import { element } from './element.js';
import { type Control, type Frame, type Setting, type Settings, lengthOf } from './figure.js';
import { fileRow, tableKind } from './file.js';
import { pictureKind } from './picture.js';
import { short } from './plot.js';

export interface ControlRow {
  readonly element: HTMLElement;
  /** Shows a value that came from elsewhere. */
  show(value: Setting): void;
  /** What the computation says. */
  tell?(frame: Frame): void;
}

export function controlRow(
  figure: string,
  name: string,
  control: Control,
  value: Setting,
  give: (value: Setting, besides?: Settings) => void,
): ControlRow {
  const id = `${figure}-${name}`;
  const label = element('label', { htmlFor: id }, control.label);
  switch (control.kind) {
    case 'picture':
      return fileRow(figure, id, control, pictureKind(control), give);
    case 'table':
      return fileRow(figure, id, control, tableKind(control), give);
    case 'blocks':
      return blocksRow(id, control, value, give);
    case 'check': {
      const input = element('input', { type: 'checkbox', id });
      const show = (v: Setting): void => void (input.checked = v === true);
      input.onchange = () => give(input.checked);
      show(value);
      return { element: element('div', { className: 'control check' }, input, label), show };
    }
    case 'choice': {
      const options = Object.entries(control.options).map(([key, text]) => element('option', { value: key }, text));
      const select = element('select', { id }, ...options);
      const show = (v: Setting): void => void (select.value = String(v));
      select.onchange = () => give(select.value);
      show(value);
      return { element: element('div', { className: 'control' }, label, select), show };
    }
    case 'text': {
      const common = { id, spellcheck: false, maxLength: lengthOf(control) };
      const input = control.long
        ? element('textarea', { ...common, rows: 6 })
        : element('input', { ...common, type: 'text', autocomplete: 'off' });
      const show = (v: Setting): void => void (input.value = String(v));
      input.onchange = () => give(input.value);
      show(value);
      return { element: element('div', { className: 'control' }, label, input), show };
    }
    case 'range': {
      const { min, max, step, log } = control;
      const place = (v: number): number => (log ? Math.log10(v) : v);
      const input = element('input', {
        type: 'range',
        id,
        min: `${place(min)}`,
        max: `${place(max)}`,
        step: `${step}`,
      });
      const output = element('output', { htmlFor: id } as object);
      const tell = (v: number): void => {
        output.textContent = short(v);
        input.setAttribute('aria-valuetext', short(v));
      };
      const show = (v: Setting): void => {
        input.value = `${place(Number(v))}`;
        tell(Number(v));
      };
      input.oninput = () => {
        const v = log ? Number((10 ** Number(input.value)).toPrecision(3)) : Number(input.value);
        tell(v);
        give(v);
      };
      show(value);
      return { element: element('div', { className: 'control' }, label, output, input), show };
    }
  }
}
