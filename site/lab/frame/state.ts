// The settings of a figure in the page's address: `#playground.rate=0.1&playground.hidden=8`. What is as it was at first is left out;
// files of one's own are left out, too; what does not fit a control is passed over, for addresses come from anywhere.

import { type Control, type Figure, type Setting, type Settings, defaultsOf, lengthOf } from './figure.js';

function parse(control: Control, text: string): Setting {
  switch (control.kind) {
    case 'check':
      return text === 'true';
    case 'choice':
      return Object.hasOwn(control.options, text) ? text : control.value;
    case 'picture':
    case 'table':
      return '';
    case 'blocks':
      return text.slice(0, 2000);
    case 'text':
      return text.slice(0, lengthOf(control));
    case 'range': {
      const number = text.trim() === '' ? NaN : Number(text);
      return Number.isFinite(number) ? Math.min(control.max, Math.max(control.min, number)) : control.value;
    }
  }
}

export function readState(figure: Figure, hash: string): Settings {
  const settings = defaultsOf(figure);
  for (const [key, text] of new URLSearchParams(hash.replace(/^#/, ''))) {
    const name = key.startsWith(`${figure.name}.`) ? key.slice(figure.name.length + 1) : '';
    const control = Object.hasOwn(figure.controls, name) ? figure.controls[name] : undefined;
    if (control) settings[name] = parse(control, text);
  }
  return settings;
}

/** The hash with the settings of this figure in it; those of others stay. */
export function writeState(figure: Figure, settings: Settings, hash: string): string {
  const all = new URLSearchParams(hash.replace(/^#/, ''));
  const defaults = defaultsOf(figure);
  for (const [name, value] of Object.entries(settings)) {
    const key = `${figure.name}.${name}`;
    if (value === defaults[name] || ['picture', 'table'].includes(figure.controls[name]?.kind ?? '')) all.delete(key);
    else all.set(key, String(value));
  }
  const text = all.toString();
  return text ? `#${text}` : '';
}
