/** Places in a config: `choices.0.label` as a list of keys and indexes. Changes copy only what lies on the way. */
import { isRecord } from '@/ui/json';

export type Path = readonly (string | number)[];

export function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const key of path) {
    if (Array.isArray(found) && typeof key === 'number') found = found[key];
    else if (isRecord(found)) found = found[String(key)];
    else return undefined;
  }
  return found;
}

/** A copy with another value at a place; `undefined` removes it. */
export function withValue(value: unknown, path: Path, next: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return next;
  if (typeof key === 'number' || Array.isArray(value)) {
    const list = Array.isArray(value) ? [...value] : [];
    const at = Number(key);
    const part = withValue(list[at], rest, next);
    if (part === undefined) list.splice(at, 1);
    else list[at] = part;
    return list;
  }
  const record = isRecord(value) ? { ...value } : {};
  const part = withValue(record[key], rest, next);
  if (part === undefined) delete record[key];
  else record[key] = part;
  return record;
}

/** The item of a list at another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const copy = [...list];
  const [item] = copy.splice(from, 1);
  if (item !== undefined) copy.splice(Math.max(0, Math.min(copy.length, to)), 0, item);
  return copy;
}

export function dotted(path: Path): string {
  return path.join('.');
}

/** Whether one dotted place lies at or below another. */
export function within(place: string, of: string): boolean {
  return of === '' || place === of || place.startsWith(`${of}.`);
}

/** Whether two JSON values are the same. */
export function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, index) => same(item, other[index]));
  if (isRecord(one) && isRecord(other)) {
    const keys = Object.keys(one);
    return (
      keys.length === Object.keys(other).length &&
      keys.every((key) => key in other && same(one[key], other[key]))
    );
  }
  return false;
}
