/** How much of a card is drawn: all, its name, or only its outline. Changes only when a threshold is crossed. */
import { useStore } from '@xyflow/react';

export type Detail = 'full' | 'name' | 'outline';

const pick = ({ transform: [, , zoom] }: { transform: [number, number, number] }): Detail =>
  zoom >= 0.55 ? 'full' : zoom >= 0.22 ? 'name' : 'outline';

export function useDetail(): Detail {
  return useStore(pick);
}
