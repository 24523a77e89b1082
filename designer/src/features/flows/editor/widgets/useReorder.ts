/** Moving the items of a list: by dragging the handle, or by arrow keys while the handle has the focus. */
import { type DragEvent, type KeyboardEvent, useCallback, useRef, useState } from 'react';

export interface Reorder {
  /** Where the dragged item would go: before this item (or at the end). */
  target: number | null;
  dragging: number | null;
  handle(index: number): {
    draggable: boolean;
    onDragStart(event: DragEvent): void;
    onDragEnd(): void;
    onKeyDown(event: KeyboardEvent): void;
  };
  item(index: number): {
    onDragOver(event: DragEvent<HTMLElement>): void;
    onDrop(event: DragEvent): void;
  };
}

export function useReorder(count: number, move: (from: number, to: number) => void): Reorder {
  const [dragging, setDragging] = useState<number | null>(null);
  const [target, setTarget] = useState<number | null>(null);
  const list = useRef<HTMLElement | null>(null);
  const end = useCallback(() => {
    setDragging(null);
    setTarget(null);
  }, []);
  return {
    dragging,
    target,
    handle: (index) => ({
      draggable: true,
      onDragStart: (event) => {
        setDragging(index);
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData('application/x-callweave-item', String(index));
        const card = (event.currentTarget as HTMLElement).closest<HTMLElement>('[data-item]');
        if (card) event.dataTransfer.setDragImage(card, 12, 12);
        event.stopPropagation();
      },
      onDragEnd: end,
      onKeyDown: (event) => {
        const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
        const to = index + by;
        if (by === 0) return;
        event.preventDefault();
        event.stopPropagation();
        if (to < 0 || to >= count) return;
        list.current = (event.currentTarget as HTMLElement).closest<HTMLElement>('[data-list]');
        move(index, to);
        // The focus goes with the item.
        requestAnimationFrame(() => {
          list.current?.querySelector<HTMLElement>(`:scope > [data-item="${to}"] [data-handle]`)?.focus();
        });
      },
    }),
    item: (index) => ({
      onDragOver: (event) => {
        if (dragging === null) return;
        event.preventDefault();
        event.stopPropagation();
        const box = event.currentTarget.getBoundingClientRect();
        setTarget(event.clientY < box.top + box.height / 2 ? index : index + 1);
      },
      onDrop: (event) => {
        if (dragging === null || target === null) return;
        event.preventDefault();
        event.stopPropagation();
        const to = target > dragging ? target - 1 : target;
        if (to !== dragging) move(dragging, to);
        end();
      },
    }),
  };
}
