// How well objects are followed through the frames of a film: CLEAR MOT (Bernardin and Stiefelhagen 2008), which counts what is missed, made up and
// confused frame by frame, and the identity scores (Ristani et al. 2016), which ask how long each object keeps one name. Numbers are py-motmetrics'.
// Frames in, numbers out; host memory alone. Must not know: what a position is.

import {
  ArgumentError,
  type OptionNames,
  checkFunction,
  checkHas,
  checkList,
  checkNeededOptions,
  checkNumber,
  checkNumbers,
  checkWhole,
} from '../tensor/library.js';
import { assignRows } from './assignment.js';

/** An object in a frame, or a track's idea of one. */
export interface TrackedObject {
  /** The same in each frame. */
  readonly id: number;
  /** A point, or the sides of a box: what `distance` takes. */
  readonly position: readonly number[];
}

export interface TrackingOptions {
  /** Objects and tracks that are further apart do not match. */
  readonly maxDistance: number;
  /** Default: between points, Euclid's. For boxes one less their intersection over union, with a maxDistance of 0.5. */
  readonly distance?: (a: readonly number[], b: readonly number[]) => number;
}

const OPTIONS: OptionNames<TrackingOptions> = { maxDistance: true, distance: true };

/** NaN where nothing was there. */
export interface TrackingScores {
  /** 1 − (misses + false alarms + switches) / objects, summed over frames; below 0 where there are more faults than objects. */
  readonly mota: number;
  /** The share of identities that are right: 2 · right / (objects + tracked). */
  readonly idf1: number;
  readonly idPrecision: number;
  readonly idRecall: number;
  /** Objects that no track was at. */
  readonly misses: number;
  /** Positions of tracks where no object was. */
  readonly falseAlarms: number;
  /** How often an object went on under another track's name. */
  readonly switches: number;
  /** Objects, summed over frames. */
  readonly objects: number;
}

function euclid(a: readonly number[], b: readonly number[]): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0));
}

/**
 * Collects frame by frame, in their order.
 *
 *     const metric = new TrackingMetrics({ maxDistance: 2 });
 *     for (const { truth, found } of frames) metric.update(found, truth);
 *     const { mota, idf1 } = await metric.compute();
 */
export class TrackingMetrics {
  readonly name = 'tracking';
  readonly better = 'higher';
  private readonly most: number;
  private readonly distance: (a: readonly number[], b: readonly number[]) => number;
  /** The track that each object was matched with last. */
  private readonly partner = new Map<number, number>();
  /** In how many frames an object and a track were near, by object and track. */
  private readonly together = new Map<number, Map<number, number>>();
  private readonly tracks = new Set<number>();
  private objects = 0;
  private found = 0;
  private matches = 0;
  private switches = 0;

  constructor(options: TrackingOptions) {
    checkNeededOptions(new.target.name, options, OPTIONS, '{ maxDistance: 2 }');
    const { maxDistance, distance = euclid } = options;
    checkNumber('TrackingMetrics', 'maxDistance', maxDistance);
    if (!(maxDistance >= 0))
      throw new ArgumentError(`TrackingMetrics: maxDistance is ${maxDistance}. Use a number of at least 0.`);
    checkFunction('TrackingMetrics', distance, 'distance');
    this.most = maxDistance;
    this.distance = distance;
  }

  /** One frame: what the tracks say, and what is there. */
  update(found: readonly TrackedObject[], truth: readonly TrackedObject[]): void {
    checkObjects('the tracks', found);
    checkObjects('the truth', truth);
    const distances = truth.map((object) =>
      found.map((track) => {
        const value = this.distance(object.position, track.position);
        return value <= this.most ? value : Infinity;
      }),
    );
    this.note(found, truth, distances);
    const freeTracks = new Set(found.keys());
    const freeObjects: number[] = [];
    // who was together stays so
    for (const [i, { id }] of truth.entries()) {
      const j = found.findIndex((track, at) => freeTracks.has(at) && track.id === this.partner.get(id));
      if (j >= 0 && distances[i][j] < Infinity) {
        freeTracks.delete(j);
        this.matches++;
      } else freeObjects.push(i);
    }
    for (const [i, j] of nearestPairs(freeObjects, [...freeTracks], distances)) {
      const [object, track] = [truth[i].id, found[j].id];
      const before = this.partner.get(object);
      if (before !== undefined && before !== track) this.switches++;
      this.partner.set(object, track);
      this.matches++;
    }
  }

  compute(): Promise<TrackingScores> {
    const { objects, found, matches, switches } = this;
    const right = this.rightIdentities();
    const share = (part: number, whole: number): number => (whole === 0 ? NaN : part / whole);
    const [misses, falseAlarms] = [objects - matches, found - matches];
    return Promise.resolve({
      mota: objects === 0 ? NaN : 1 - (misses + falseAlarms + switches) / objects,
      idf1: share(2 * right, objects + found),
      idPrecision: share(right, found),
      idRecall: share(right, objects),
      misses,
      falseAlarms,
      switches,
      objects,
    });
  }

  reset(): void {
    for (const part of [this.partner, this.together, this.tracks]) part.clear();
    this.objects = this.found = this.matches = this.switches = 0;
  }

  private note(found: readonly TrackedObject[], truth: readonly TrackedObject[], distances: readonly number[][]): void {
    this.objects += truth.length;
    this.found += found.length;
    for (const { id } of found) this.tracks.add(id);
    truth.forEach(({ id }, i) => {
      const own = this.together.get(id) ?? new Map<number, number>();
      this.together.set(id, own);
      found.forEach((track, j) => {
        if (distances[i][j] < Infinity) own.set(track.id, 1 + (own.get(track.id) ?? 0));
      });
    });
  }

  /** Frames in which objects are under the one name that suits them best, over all objects together. */
  private rightIdentities(): number {
    const names = [...this.tracks];
    const rows = [...this.together.values()].map((own) => names.map((name) => own.get(name) ?? 0));
    if (rows.length === 0 || names.length === 0) return 0;
    const costs = rows.flatMap((row) => row.map((frames) => -frames));
    const chosen = assignRows(costs, rows.length, names.length);
    return rows.reduce((sum, row, i) => sum + (chosen[i] < 0 ? 0 : row[chosen[i]]), 0);
  }
}

/** Pairs of a row and a column of their own: as many as there are near ones, and of these the nearest together. */
function nearestPairs(
  rows: readonly number[],
  columns: readonly number[],
  distances: readonly (readonly number[])[],
): [row: number, column: number][] {
  if (rows.length === 0 || columns.length === 0) return [];
  const near = rows.flatMap((i) => columns.map((j) => distances[i][j]));
  const most = near.reduce((sum, value) => (value < Infinity ? Math.max(sum, value) : sum), 0);
  // further than all near ones together: a far pair is never worth two near ones
  const far = 2 * Math.min(rows.length, columns.length) * most + 1;
  const chosen = assignRows(
    near.map((value) => (value < Infinity ? value : far)),
    rows.length,
    columns.length,
  );
  return rows
    .map((i, at): [number, number] => [i, columns[chosen[at]] ?? -1])
    .filter(([i, j]) => j >= 0 && distances[i][j] < Infinity);
}

function checkObjects(what: string, objects: readonly TrackedObject[]): void {
  const op = 'TrackingMetrics';
  checkList(op, what, objects, '{ id, position }');
  const ids = new Set<number>();
  for (const [i, object] of objects.entries()) {
    checkHas(op, `${what}, entry ${i},`, object, ['id', 'position'], 'Give { id, position: [x, y] }');
    checkWhole(op, `${what}, id ${i}`, object.id, -Infinity);
    checkNumbers(op, `${what}, position ${i}`, object.position);
    if (ids.has(object.id))
      throw new ArgumentError(`${op}: ${what} have two of the id ${object.id} in one frame. Give each its own.`);
    ids.add(object.id);
  }
}
