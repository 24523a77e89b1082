/** Pictures of node types: their names come from the server (lucide). One that is not here is shown as a box. */
import * as lucide from './lucide';

const KNOWN = new Map<string, lucide.LucideIcon>(
  Object.entries(lucide.pictures).map(([name, picture]) => [dashed(name), picture]),
);

/** `Volume2` is `volume-2` on the server. */
function dashed(name: string): string {
  return name
    .replace(/([a-z])([A-Z0-9])/g, '$1-$2')
    .replace(/([0-9])([A-Z])/g, '$1-$2')
    .toLowerCase();
}

export function NodeIcon({ name, size = 16 }: { name: string; size?: number }) {
  const Picture = KNOWN.get(name) ?? lucide.pictures.Box;
  return <Picture size={size} aria-hidden />;
}
