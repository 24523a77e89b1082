/** What the server and the schema found wrong with a node, each at the field where it is shown. */
import type { FlowProblem } from '../problems/check';
import { pathIn } from '../problems/fixes';
import type { Trouble } from '../widgets/form';
import { dotted, within } from '../widgets/paths';
import type { Fault, Field } from '../widgets/schema';

export interface Placed {
  placed: Map<string, Trouble[]>;
  /** What belongs to no field: how the node is connected, what it is. */
  rest: FlowProblem[];
}

/** Codes whose field names a way out or an edge, not a setting. */
const NOT_SETTINGS = new Set(['port_unwired', 'edge_source', 'edge_target', 'edge_port', 'two_edges']);

export function troublesOf(
  problems: readonly FlowProblem[],
  faults: readonly Fault[],
  config: Record<string, unknown>,
  root: Field,
): Placed {
  const placed = new Map<string, Trouble[]>();
  const rest: FlowProblem[] = [];
  const add = (place: string, trouble: Trouble) => {
    const found = placed.get(place);
    if (found) found.push(trouble);
    else placed.set(place, [trouble]);
  };
  for (const fault of faults) add(fault.path, { severity: 'error', message: fault.message, code: 'schema' });
  for (const one of problems) {
    const place = one.field && !NOT_SETTINGS.has(one.code) ? dotted(pathIn(config, one.field)) : null;
    const top = place?.split('.')[0];
    if (place === null || !root.properties.some((property) => property.name === top)) {
      if (one.code !== 'port_unwired') rest.push(one);
      continue;
    }
    // The schema said it already, in the same place or more exactly.
    if (
      one.code === 'bad_config' &&
      faults.some((fault) => within(fault.path, place) || within(place, fault.path))
    )
      continue;
    add(place, { severity: one.severity, message: one.message, code: one.code });
  }
  return { placed, rest };
}
