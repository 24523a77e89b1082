/**
 * Copy, cut and paste. Keys do it by the system clipboard's own events: no permission is asked, and text fields keep
 * theirs. A menu asks the browser; where that may not read the clipboard, it pastes what was copied here last.
 */
import { useReactFlow } from '@xyflow/react';
import { App } from 'antd';
import { type RefObject, useEffect, useMemo } from 'react';
import { useText } from '@/i18n';
import { snapped, useActions } from './actions';
import { useCatalogue } from './catalogue';
import { readClip } from './clipboard';
import { typing } from './keyboard';
import type { Point } from './model';
import { fixed, useEditorStore } from './store';

let copiedHere: string | null = null;

export interface Clipboard {
  copy(): void;
  cut(): void;
  paste(at: Point): Promise<void>;
}

/** What the context menu does. */
export function useMenuClipboard(): Clipboard {
  const store = useEditorStore();
  const actions = useActions();
  const catalogue = useCatalogue();
  const text = useText();
  const { notification } = App.useApp();
  return useMemo(() => {
    const copy = () => {
      const clip = actions.clip();
      if (!clip) return;
      copiedHere = JSON.stringify(clip, null, 2);
      void navigator.clipboard?.writeText(copiedHere).catch(() => undefined);
    };
    return {
      copy,
      cut: () => {
        copy();
        if (!fixed(store.getState())) actions.removeSelected();
      },
      async paste(at) {
        const told = await navigator.clipboard?.readText().catch(() => null);
        const found = told ?? copiedHere;
        if (found === null) {
          notification.info({
            title: text({
              zh: '浏览器不允许读取剪贴板，请按 Ctrl V 粘贴。',
              en: 'The browser does not let this page read the clipboard. Press Ctrl V instead.',
            }),
          });
          return;
        }
        const read = readClip(found, catalogue);
        if ('problem' in read) notification.warning({ title: text(read.problem) });
        else actions.paste(read.clip, { x: snapped(at.x), y: snapped(at.y) });
      },
    };
  }, [store, actions, catalogue, text, notification]);
}

export function useClipboard(pane: RefObject<HTMLElement | null>, pointer: RefObject<Point | null>): void {
  const store = useEditorStore();
  const actions = useActions();
  const catalogue = useCatalogue();
  const flow = useReactFlow();
  const text = useText();
  const { notification } = App.useApp();
  useEffect(() => {
    const mine = (): boolean => {
      const at = document.activeElement;
      if (typing(at) || document.getSelection()?.toString()) return false;
      return at === null || at === document.body || pane.current?.contains(at) === true;
    };
    const copy = (event: ClipboardEvent) => {
      if (!mine()) return;
      const clip = actions.clip();
      if (!clip) return;
      copiedHere = JSON.stringify(clip, null, 2);
      event.clipboardData?.setData('text/plain', copiedHere);
      event.preventDefault();
      if (event.type === 'cut' && !fixed(store.getState())) actions.removeSelected();
    };
    const paste = (event: ClipboardEvent) => {
      if (!mine() || fixed(store.getState())) return;
      event.preventDefault();
      const read = readClip(event.clipboardData?.getData('text/plain') ?? '', catalogue);
      if ('problem' in read) {
        notification.warning({ title: text(read.problem) });
        return;
      }
      const at = pointer.current ? flow.screenToFlowPosition(pointer.current) : null;
      actions.paste(read.clip, at && { x: snapped(at.x), y: snapped(at.y) });
    };
    document.addEventListener('copy', copy);
    document.addEventListener('cut', copy);
    document.addEventListener('paste', paste);
    return () => {
      document.removeEventListener('copy', copy);
      document.removeEventListener('cut', copy);
      document.removeEventListener('paste', paste);
    };
  }, [store, actions, catalogue, flow, text, notification, pane, pointer]);
}
