// The script of the exams' pages. Checks what was answered against what the worker computes, shows the way, draws other numbers, and keeps
// the marks. The pages themselves come from the builder (pages.mjs): a form for each exercise.

import { element } from '../lab/frame/element.js';
import { type Answer, type Given, isRight, parseNumber } from './exercise.js';
import type { Solution, ToPage, ToWorker } from './messages.js';
import { type Mark, forget, mark, readProgress } from './progress.js';

type Question = Extract<ToPage, { kind: 'question' }>;
const WORDS: Readonly<Record<Mark, string>> = { solved: 'Solved', tried: 'Tried', seen: 'Way seen' };

/** Omits over a union, member by member. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'number'> : never;

class Solver {
  private worker: Worker | undefined;
  private number = 0;
  private readonly waiting = new Map<number, { resolve: (message: ToPage) => void; reject: (error: Error) => void }>();

  ask(message: Unnumbered<ToWorker>): Promise<ToPage> {
    this.worker ??= this.open();
    const number = ++this.number;
    this.worker.postMessage({ ...message, number });
    return new Promise((resolve, reject) => this.waiting.set(number, { resolve, reject }));
  }

  private open(): Worker {
    const worker = new Worker(new URL('worker.js', import.meta.url));
    worker.onmessage = ({ data }: MessageEvent<ToPage>) => {
      const { resolve, reject } = this.waiting.get(data.number)!;
      this.waiting.delete(data.number);
      if (data.kind === 'error') reject(new Error(data.message));
      else resolve(data);
    };
    worker.onerror = (event) => {
      for (const { reject } of this.waiting.values())
        reject(new Error(event.message || 'The worker cannot be loaded.'));
      this.waiting.clear();
    };
    return worker;
  }
}

class ExerciseForm {
  private readonly form: HTMLFormElement;
  private readonly solver: Solver;
  private readonly exam: string;
  private readonly id: string;
  private readonly answer: Answer;
  private readonly inputs: readonly HTMLInputElement[];
  private readonly feedback: HTMLElement;
  private readonly badge: HTMLElement;
  private readonly way: HTMLElement;
  private given: Given;
  private solution: Promise<Solution> | undefined;

  constructor(form: HTMLFormElement, solver: Solver) {
    this.form = form;
    this.solver = solver;
    const { exam = '', id = '', answer = '', given = '{}' } = form.dataset;
    [this.exam, this.id, this.answer] = [exam, id, JSON.parse(answer) as Answer];
    this.given = JSON.parse(given) as Given;
    this.inputs = [...form.querySelectorAll<HTMLInputElement>('.answers input')];
    this.feedback = form.querySelector('.feedback')!;
    this.badge = form.querySelector('.badge')!;
    this.way = form.querySelector('.way')!;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.work(() => this.check());
    });
    form.querySelector('.show-way')!.addEventListener('click', () => void this.work(() => this.showWay()));
    form.querySelector('.draw')?.addEventListener('click', () => void this.work(() => this.draw()));
    for (const input of this.inputs) input.addEventListener('input', () => this.clear());
    this.show(readProgress()[this.name]);
  }

  get name(): string {
    return `${this.exam}/${this.id}`;
  }

  show(now: Mark | undefined): void {
    this.badge.textContent = now ? WORDS[now] : '';
    this.form.dataset['mark'] = now ?? '';
  }

  private async work(task: () => Promise<void>): Promise<void> {
    this.form.ariaBusy = 'true';
    try {
      await task();
    } catch (error) {
      this.say('wrong', error instanceof Error ? error.message : String(error));
    } finally {
      this.form.ariaBusy = 'false';
    }
  }

  private solve(): Promise<Solution> {
    this.solution ??= this.solver
      .ask({ kind: 'solve', exam: this.exam, id: this.id, given: this.given })
      .then((message) => message as Extract<ToPage, { kind: 'solution' }>);
    return this.solution;
  }

  private async check(): Promise<void> {
    const given = this.answers();
    if (!given) return;
    const { answer } = await this.solve();
    const right = given.map((value, i) => isRight(this.answer, value, answer[i]!));
    const count = right.filter(Boolean).length;
    if (this.answer.kind === 'numbers')
      this.inputs.forEach((input, i) => {
        input.dataset['right'] = String(right[i]);
        input.setAttribute('aria-invalid', String(!right[i]));
      });
    if (count === right.length) this.say('right', 'Right.');
    else if (right.length === 1) this.say('wrong', 'Not yet.');
    else this.say('wrong', `Not yet: ${count} of ${right.length} are right.`);
    this.keep(count === right.length ? 'solved' : 'tried');
  }

  /** What was answered, as numbers; undefined, and a word about it, where something is missing. */
  private answers(): number[] | undefined {
    if (this.answer.kind === 'ticks') return this.inputs.map((input) => (input.checked ? 1 : 0));
    if (this.answer.kind === 'choice') {
      const chosen = this.inputs.findIndex((input) => input.checked);
      if (chosen >= 0) return [chosen];
      this.say('wrong', 'Choose one.');
      return undefined;
    }
    const numbers = this.inputs.map((input) => parseNumber(input.value));
    const missing = numbers.findIndex(Number.isNaN);
    if (missing < 0) return numbers;
    this.say('wrong', `Give a number for ‘${this.answer.labels[missing]}’, such as 3, 0.5 or 2/3.`);
    this.inputs[missing]!.focus();
    return undefined;
  }

  private async showWay(): Promise<void> {
    const { steps, program } = await this.solve();
    const rows = steps.map(({ text, value }) =>
      element('li', {}, element('span', {}, value ? `${text}: ` : text), element('b', {}, value)),
    );
    const listing = element('pre', { tabIndex: 0 }, element('code', {}, program));
    this.way.replaceChildren(
      element('ol', {}, ...rows),
      element('details', { className: 'code' }, element('summary', {}, 'Show the program that computed this'), listing),
    );
    this.way.hidden = false;
    this.keep('seen');
  }

  private async draw(): Promise<void> {
    const random = crypto.getRandomValues(new Uint32Array(8));
    const message = await this.solver.ask({
      kind: 'draw',
      exam: this.exam,
      id: this.id,
      random: Array.from(random, (value) => value / 2 ** 32),
    });
    const { given, html } = message as Question;
    this.given = given;
    this.solution = undefined;
    this.form.querySelector('.question')!.innerHTML = html; // from the exercise itself, with numbers of its own
    for (const input of this.inputs) input.value = '';
    this.clear();
    this.way.hidden = true;
  }

  private keep(now: Mark): void {
    this.show(mark(this.name, now));
    this.form.dispatchEvent(new Event('marked', { bubbles: true }));
  }

  private clear(): void {
    for (const input of this.inputs) {
      delete input.dataset['right'];
      input.removeAttribute('aria-invalid');
    }
    this.say('', '');
  }

  private say(kind: string, text: string): void {
    this.feedback.dataset['kind'] = kind;
    this.feedback.textContent = text;
  }
}

const solver = new Solver();
const forms = [...document.querySelectorAll<HTMLFormElement>('form.exercise')].map(
  (form) => new ExerciseForm(form, solver),
);

/** Bars that say how much of an exam is solved. */
function showProgress(): void {
  const all = readProgress();
  for (const bar of document.querySelectorAll<HTMLProgressElement>('progress[data-exam]')) {
    const solved = Object.entries(all).filter(
      ([name, m]) => m === 'solved' && name.startsWith(`${bar.dataset['exam']}/`),
    ).length;
    bar.value = Math.min(solved, bar.max);
    const words = bar.parentElement?.querySelector('.count');
    if (words) words.textContent = `${bar.value} of ${bar.max} solved`;
  }
}
addEventListener('marked', showProgress);
document.querySelector<HTMLButtonElement>('.forget')?.addEventListener('click', ({ currentTarget }) => {
  forget(`${(currentTarget as HTMLElement).dataset['exam']}/`);
  for (const form of forms) form.show(undefined);
  showProgress();
});
showProgress();
