/** Trunks and lines as the server tells them: first everything, then what changed. */
import { useEffect, useRef, useState } from 'react';
import { useSubscription } from 'urql';
import { graphql } from '@/gql';
import type { FloorLinesSubscription } from '@/gql/graphql';
import { isGone } from '../numbers/trunkState';

const LINES = graphql(`
  subscription FloorLines {
    lines {
      full removedLines at
      trunks { id name host state since registers calls maxCalls }
      lines {
        callId direction state caller called region { zh en } customerName agents trunks flowKey anonymous
        startedAt answeredAt
      }
    }
  }
`);

export type LinesChange = FloorLinesSubscription['lines'];
export type Trunk = LinesChange['trunks'][number];
export type Line = LinesChange['lines'][number];

export interface Lines {
  trunks: readonly Trunk[];
  lines: ReadonlyMap<string, Line>;
}

/** The lines after one more message. */
export function withLines(now: Lines | null, change: LinesChange): Lines {
  const lines = new Map(change.full || !now ? [] : now.lines);
  for (const line of change.lines) lines.set(line.callId, line);
  for (const id of change.removedLines) lines.delete(id);
  return { trunks: change.trunks, lines };
}

export function useLines(): Lines | null {
  const [lines, setLines] = useState<Lines | null>(null);
  useSubscription({ query: LINES }, (_, seen) => {
    setLines((now) => withLines(now, seen.lines));
    return seen;
  });
  return lines;
}

/** Trunks that went away while somebody looked are told once. */
export function useGoneTrunks(trunks: readonly Trunk[] | undefined, told: (trunk: Trunk) => void): void {
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    if (!trunks) return;
    const gone = trunks.filter(isGone);
    for (const trunk of gone) if (known.current && !known.current.has(trunk.id)) told(trunk);
    known.current = new Set(gone.map((trunk) => trunk.id));
  }, [trunks, told]);
}
