/** Filters of a list: in the address, so that a view can be sent to somebody; remembered, so that one finds it again. */
import { useCallback, useEffect, useMemo } from 'react';
import { useSearchParams } from 'react-router';

export type Filters<K extends string> = Record<K, string>;

/** What the address says of these keys; unknown and empty ones are ''. */
export function filtersOf<K extends string>(keys: readonly K[], params: URLSearchParams): Filters<K> {
  return Object.fromEntries(keys.map((key) => [key, params.get(key) ?? ''])) as Filters<K>;
}

/** The address after a change; other parameters stay, empty values are left out. */
export function changed<K extends string>(
  params: URLSearchParams,
  change: Partial<Filters<K>>,
): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const [key, value] of Object.entries(change) as [K, string | undefined][]) {
    if (value) next.set(key, value);
    else next.delete(key);
  }
  return next;
}

export function useFilters<K extends string>(
  name: string,
  keys: readonly K[],
  /** In the address but not remembered: what is opened at this moment. */
  passing: readonly K[] = [],
): [Filters<K>, (change: Partial<Filters<K>>) => void] {
  const [params, setParams] = useSearchParams();
  const kept = `callweave.filters.${name}`;
  const list = keys.join(',');
  const remembered = keys.filter((key) => !passing.includes(key)).join(',');
  const values = useMemo(() => filtersOf(list.split(',') as K[], params), [list, params]);

  // An address without parameters means: as I left it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page opens
  useEffect(() => {
    const before = localStorage.getItem(kept);
    if (before && [...params.keys()].length === 0) setParams(new URLSearchParams(before), { replace: true });
  }, [kept]);

  const change = useCallback(
    (wanted: Partial<Filters<K>>) => {
      setParams(
        (now) => {
          const next = changed(now, wanted);
          const mine = new URLSearchParams();
          for (const key of remembered.split(',')) if (next.get(key)) mine.set(key, next.get(key) as string);
          localStorage.setItem(kept, mine.toString());
          return next;
        },
        { replace: true },
      );
    },
    [setParams, remembered, kept],
  );
  return [values, change];
}
