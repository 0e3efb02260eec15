// From pairs of detections that are probably one object to tracks, and from tracks to objects frame by frame.

import {
  ArgumentError,
  type OptionNames,
  checkChoice,
  checkList,
  checkNumber,
  checkNumbers,
  checkOptions,
  checkWhole,
} from '../../tensor/library.js';
import { assignRows } from '../../metrics/assignment.js';
import { type FramePoint, checkPoints } from './graph.js';

export interface LinkOptions {
  /** Pairs with a lower probability are not linked. Default 0.5. */
  readonly threshold?: number;
  /**
   * 'greedy' links the most probable pair first and leaves out what is taken; 'best' finds the links with the greatest sum of
   * log(p / (1 − p)) of all, which is the cheapest flow. Default 'best'.
   */
  readonly method?: 'best' | 'greedy';
  /** Tracks with fewer detections are taken for false alarms. Default 3. */
  readonly leastLength?: number;
}

const LINK_OPTIONS: OptionNames<LinkOptions> = { threshold: true, method: true, leastLength: true };

/**
 * Tracks, as lists of positions in `detections`: each detection follows at most one and is followed by at most one. `edges` [2, E] and a probability
 * for each, as `trackGraph` and a network give them.
 */
export function linkTracks(
  detections: readonly FramePoint[],
  edges: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  options: LinkOptions = {},
): number[][] {
  const op = 'linkTracks';
  checkPoints(op, detections);
  checkNumbers(op, 'the edges', edges);
  checkNumbers(op, 'the probabilities', probabilities);
  checkOptions(op, options, LINK_OPTIONS);
  const { threshold = 0.5, method = 'best', leastLength = 3 } = options;
  checkNumber(op, 'threshold', threshold);
  checkChoice(op, 'method', method, ['best', 'greedy']);
  checkWhole(op, 'leastLength', leastLength, 1);
  const count = probabilities.length;
  if (edges.length !== 2 * count)
    throw new ArgumentError(`${op}: ${edges.length} ends of edges for ${count} probabilities. Give two for each.`);
  const wrong = Array.from(edges).find((end) => !(Number.isInteger(end) && end >= 0 && end < detections.length));
  if (wrong !== undefined)
    throw new ArgumentError(`${op}: an edge ends at ${wrong}, and there are ${detections.length} detections.`);
  const links = Array.from({ length: count }, (_, e): Link => {
    return { from: edges[e], to: edges[count + e], probability: probabilities[e] };
  }).filter(({ probability }) => probability >= threshold);
  const next = method === 'greedy' ? greedy(links) : best(links);
  const follows = new Set(next.values());
  const starts = detections.map((_, i) => i).filter((i) => !follows.has(i));
  const tracks = starts.map((start) => {
    const track = [start];
    for (let at = next.get(start); at !== undefined; at = next.get(at)) track.push(at);
    return track;
  });
  return tracks.filter(({ length }) => length >= leastLength);
}

interface Link {
  readonly from: number;
  readonly to: number;
  readonly probability: number;
}

function greedy(links: readonly Link[]): Map<number, number> {
  const next = new Map<number, number>();
  const taken = new Set<number>();
  for (const { from, to } of links.toSorted((a, b) => b.probability - a.probability)) {
    if (next.has(from) || taken.has(to)) continue;
    next.set(from, to);
    taken.add(to);
  }
  return next;
}

/** Since time goes one way, the cheapest flow is the best assignment of followers, group by group of those that have pairs in common. */
function best(links: readonly Link[]): Map<number, number> {
  const next = new Map<number, number>();
  for (const group of groupsOf(links)) {
    const [rows, columns] = [group.map(({ from }) => from), group.map(({ to }) => to)].map((ends) => [
      ...new Set(ends),
    ]);
    const [rowOf, columnOf] = [rows, columns].map((ends) => new Map(ends.map((end, i) => [end, i])));
    // a column more for each row: to be followed by nothing costs nothing
    const width = columns.length + rows.length;
    const costs = new Float64Array(rows.length * width);
    for (const { from, to, probability } of group) {
      const p = Math.min(Math.max(probability, 1e-7), 1 - 1e-7);
      costs[(rowOf.get(from) ?? 0) * width + (columnOf.get(to) ?? 0)] = -Math.log(p / (1 - p)) - 1e-9;
    }
    const isLink = new Set(group.map(({ from, to }) => `${from} ${to}`));
    assignRows(costs, rows.length, width).forEach((column, row) => {
      if (column < columns.length && isLink.has(`${rows[row]} ${columns[column]}`))
        next.set(rows[row], columns[column]);
    });
  }
  return next;
}

/** Links that share a beginning or an end, directly or through others. */
function groupsOf(links: readonly Link[]): Link[][] {
  const parent = new Map<string, string>();
  const root = (name: string): string => {
    let at = name;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    return at;
  };
  const names = ({ from, to }: Link): [string, string] => [`from ${from}`, `to ${to}`];
  for (const link of links) {
    const [a, b] = names(link).map(root);
    if (a !== b) parent.set(a, b);
  }
  const groups = new Map<string, Link[]>();
  for (const link of links) {
    const name = root(names(link)[0]);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [link]);
    else group.push(link);
  }
  return [...groups.values()];
}

/** An object in a frame, as a track has it. */
export interface TrackedPoint {
  /** The track's number. */
  readonly id: number;
  readonly position: readonly [x: number, y: number];
}

/**
 * What the tracks say of each of `frames` frames: where they have been seen, and between two sightings on the straight line from one to the other.
 */
export function trackFrames(
  detections: readonly FramePoint[],
  tracks: readonly (readonly number[])[],
  frames: number,
): TrackedPoint[][] {
  const op = 'trackFrames';
  checkPoints(op, detections);
  checkWhole(op, 'frames', frames, 1);
  checkList(op, 'the tracks', tracks, 'lists of positions of detections');
  const all: TrackedPoint[][] = Array.from({ length: frames }, () => []);
  tracks.forEach((track, id) => {
    checkNumbers(op, `track ${id}`, track);
    const wrong = track.find((place) => detections[place] === undefined);
    if (wrong !== undefined)
      throw new ArgumentError(`${op}: track ${id} has ${wrong}, and there are ${detections.length} detections.`);
    track.forEach((place, i) => {
      const now = detections[place];
      const later = detections[track[Math.min(i + 1, track.length - 1)]];
      const end = i + 1 < track.length ? later.frame : now.frame + 1;
      for (let frame = now.frame; frame < end; frame++) {
        const share = frame === now.frame ? 0 : (frame - now.frame) / (later.frame - now.frame);
        const [x, y] = [0, 1].map((axis) => now.position[axis] + share * (later.position[axis] - now.position[axis]));
        all[frame]?.push({ id, position: [x, y] });
      }
    });
  });
  return all;
}
