/** How long a movement of the drawing takes: none for those who asked their system for less motion. */
export function smoothly(milliseconds: number): number {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : milliseconds;
}
