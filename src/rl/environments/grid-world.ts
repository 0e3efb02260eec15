// Grid worlds: a map of letters, and what its tiles mean. FrozenLake-v1 and CliffWalking-v1 of Gymnasium are two of them. States are
// numbered row by row from the top left.

import {
  ArgumentError,
  type OptionNames,
  checkList,
  checkNeededOptions,
  checkNumber,
  checkNumbers,
  checkOptions,
  checkRecord,
} from '../../tensor/library.js';
import type { Canvas, Colour, Window } from '../drawing/canvas.js';
import { TableEnvironment, type Transition } from './table.js';

export type Move = 'up' | 'down' | 'left' | 'right';

const DIRECTIONS: Readonly<Record<Move, readonly [row: number, column: number]>> = {
  up: [-1, 0],
  down: [1, 0],
  left: [0, -1],
  right: [0, 1],
};
const ARROWS: Readonly<Record<Move, string>> = { up: '↑', down: '↓', left: '←', right: '→' };

/** What it means to step on a tile. */
export interface Tile {
  /** Default: the reward of a step. */
  readonly reward?: number;
  /** The episode ends. Default false. */
  readonly ends?: boolean;
  /** The agent is put back to the start. Default false. */
  readonly returns?: boolean;
  /** Nobody can step on it; whoever tries stays. Default false. */
  readonly blocks?: boolean;
}

export interface GridOptions {
  /** Rows of letters of the same length. `S` is where episodes begin, `#` is a wall, `G` ends the episode with reward 1, `H` (a hole) with 0. */
  readonly map: readonly string[];
  /** Other meanings of letters, or of more of them. */
  readonly tiles?: Readonly<Record<string, Tile>>;
  /** The actions in the order of their numbers. Default left, down, right, up. */
  readonly moves?: readonly Move[];
  /** Reward of a step on any other tile. Default 0. */
  readonly stepReward?: number;
  /** How likely a move goes where it should; else it slips to one side or the other (the neighbours in `moves`). Default 1. */
  readonly success?: number;
}

const GRID_OPTIONS: OptionNames<GridOptions> = { map: true, tiles: true, moves: true, stepReward: true, success: true };

const TILES: Readonly<Record<string, Tile>> = {
  G: { reward: 1, ends: true },
  H: { reward: 0, ends: true },
  '#': { blocks: true },
};
const COLOURS: Readonly<Record<string, Colour>> = {
  S: [190, 225, 190],
  G: [250, 215, 90],
  H: [60, 80, 130],
  C: [110, 70, 50],
  '#': [80, 80, 80],
};
const GROUND: Colour = [215, 230, 240];

/**
 * A map to walk on.
 *
 *     const maze = new GridWorld({ map: ['S.#', '..#', '#.G'], stepReward: -0.1 });
 */
export class GridWorld extends TableEnvironment {
  readonly map: readonly string[];
  readonly moves: readonly Move[];

  /** Throws ArgumentError for maps without a start or with rows of different lengths. */
  constructor(options: GridOptions) {
    checkNeededOptions('GridWorld', options, GRID_OPTIONS, "{ map: ['S.', '.G'] }");
    const { map, tiles = {}, moves = ['left', 'down', 'right', 'up'], stepReward = 0, success = 1 } = options;
    checkList('GridWorld', 'map', map, "rows: ['S.', '.G']");
    checkList('GridWorld', 'moves', moves, "moves: ['left', 'right']");
    if (
      map.length === 0 ||
      map.some((row) => typeof row !== 'string' || row.length !== map[0].length || row.length === 0)
    )
      throw new ArgumentError(
        'GridWorld: the rows of the map are not texts of the same length. Give each as many letters.',
      );
    const unknown = moves.find((move) => !Object.hasOwn(DIRECTIONS, move));
    if (unknown !== undefined || moves.length === 0)
      throw new ArgumentError(`GridWorld: '${unknown ?? ''}' is no move. Use left, down, right and up.`);
    checkNumber('GridWorld', 'stepReward', stepReward);
    checkNumber('GridWorld', 'success', success);
    checkRecord('GridWorld', 'tiles', tiles, 'tiles');
    if (!(success >= 0 && success <= 1))
      throw new ArgumentError(`GridWorld: success is ${success}. Use a probability, from 0 to 1.`);
    const [rows, columns] = [map.length, map[0].length];
    const letters = map.join('');
    const start = [...letters].flatMap((letter, state) => (letter === 'S' ? [state] : []));
    if (start.length === 0) throw new ArgumentError('GridWorld: the map has no S. Say with it where episodes begin.');
    const meaning: Readonly<Record<string, Tile>> = { ...TILES, ...tiles };
    const tileOf = (state: number): Tile => (Object.hasOwn(meaning, letters[state]) ? meaning[letters[state]] : {});
    const walk = (state: number, move: Move, probability: number): Transition => {
      const [down, right] = DIRECTIONS[move];
      const row = Math.min(Math.max(Math.floor(state / columns) + down, 0), rows - 1);
      const column = Math.min(Math.max((state % columns) + right, 0), columns - 1);
      const wanted = row * columns + column;
      const to = tileOf(wanted).blocks === true ? state : wanted;
      const { reward = stepReward, ends = false, returns = false } = tileOf(to);
      return { probability, next: returns ? start[0] : to, reward, terminated: ends };
    };
    super({
      states: rows * columns,
      actions: moves.length,
      start,
      transitions(state, action) {
        if (tileOf(state).ends === true) return [{ probability: 1, next: state, reward: 0, terminated: true }];
        if (success === 1) return [walk(state, moves[action], 1)];
        const side = (by: number): Move => moves[(action + by + moves.length) % moves.length];
        const slip = (1 - success) / 2;
        return [walk(state, side(-1), slip), walk(state, moves[action], success), walk(state, side(1), slip)];
      },
    });
    this.map = map;
    this.moves = moves;
  }

  /** The map, with the agent in brackets. */
  override renderText(): string {
    const [state] = this.values;
    const { length } = this.map[0];
    return this.map
      .map((row, y) => [...row].map((letter, x) => (y * length + x === state ? `[${letter}]` : ` ${letter} `)).join(''))
      .join('\n');
  }

  /** A policy as a map of arrows: `actions` are those of all states. Tiles on which nothing is to be decided show their letter. */
  arrows(actions: ArrayLike<number>): string {
    checkNumbers('GridWorld.arrows', 'actions', actions);
    const { length: states } = this.transitions;
    const isPolicy = actions.length === states && Array.from(actions).every((a) => this.actionSpace.contains(a));
    if (!isPolicy)
      throw new ArgumentError(
        `GridWorld.arrows: these are no actions of ${states} states. Give a number from 0 to ${this.moves.length - 1} for each state.`,
      );
    const { length } = this.map[0];
    return this.map
      .map((row, y) =>
        [...row]
          .map((letter, x) => {
            const state = y * length + x;
            const isEnd = this.transitions[state].every((list) =>
              list.every(({ next, terminated }) => terminated && next === state),
            );
            return isEnd || TILES[letter]?.blocks === true ? letter : ARROWS[this.moves[actions[state]]];
          })
          .join(' '),
      )
      .join('\n');
  }

  protected override window(): Window {
    const [rows, columns] = [this.map.length, this.map[0].length];
    return { left: 0, right: columns, bottom: 0, top: rows, width: columns * 40, height: rows * 40 };
  }

  protected override draw(canvas: Canvas): void {
    const rows = this.map.length;
    this.map.forEach((row, y) =>
      [...row].forEach((letter, x) => {
        const colour = Object.hasOwn(COLOURS, letter) ? COLOURS[letter] : GROUND;
        canvas.rectangle(x + 0.03, rows - y - 0.97, x + 0.97, rows - y - 0.03, colour);
      }),
    );
    const [state] = this.values;
    const { length } = this.map[0];
    canvas.disc((state % length) + 0.5, rows - Math.floor(state / length) - 0.5, 0.3, [205, 60, 60]);
  }
}

export interface FrozenLakeOptions {
  /** '4x4' (the default), '8x8', or rows of S, F, H and G. */
  readonly map?: '4x4' | '8x8' | readonly string[];
  /** Whether the ice is slippery: a move goes where it should one time in three, else to a side. Default true. */
  readonly slippery?: boolean;
}

const FROZEN_LAKE_OPTIONS: OptionNames<FrozenLakeOptions> = { map: true, slippery: true };

const LAKES = {
  '4x4': ['SFFF', 'FHFH', 'FFFH', 'HFFG'],
  '8x8': ['SFFFFFFF', 'FFFFFFFF', 'FFFHFFFF', 'FFFFFHFF', 'FFFHFFFF', 'FHHFFFHF', 'FHFFHFHF', 'FFFHFFFG'],
} as const;

/** FrozenLake-v1: over the ice to the goal, and into no hole. Reward 1 at the goal, else 0. Actions: left, down, right, up. */
export class FrozenLake extends GridWorld {
  constructor(options: FrozenLakeOptions = {}) {
    checkOptions('FrozenLake', options, FROZEN_LAKE_OPTIONS);
    const { map = '4x4', slippery = true } = options;
    if (typeof map === 'string' && !Object.hasOwn(LAKES, map))
      throw new ArgumentError(`FrozenLake: there is no map '${String(map)}'. Use 4x4, 8x8, or a list of rows.`);
    super({ map: typeof map === 'string' ? LAKES[map] : map, success: slippery ? 1 / 3 : 1 });
  }
}

/** CliffWalking-v1: around the cliff to the goal (Sutton and Barto, example 6.6). Reward −1 a step, −100 and back to the start over the cliff. Actions: up, right, down, left. */
export class CliffWalking extends GridWorld {
  constructor() {
    super({
      map: ['............', '............', '............', 'SCCCCCCCCCCG'],
      moves: ['up', 'right', 'down', 'left'],
      stepReward: -1,
      tiles: { G: { ends: true }, C: { reward: -100, returns: true } },
    });
  }
}
