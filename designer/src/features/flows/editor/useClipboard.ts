/** Copy, cut and paste by the system clipboard's own events: no permission is asked, and text fields keep theirs. */
import { useReactFlow } from '@xyflow/react';
import { App } from 'antd';
import { type RefObject, useEffect } from 'react';
import { useText } from '@/i18n';
import { snapped, useActions } from './actions';
import { useCatalogue } from './catalogue';
import { readClip } from './clipboard';
import { typing } from './keyboard';
import type { Point } from './model';
import { fixed, useEditorStore } from './store';

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
      event.clipboardData?.setData('text/plain', JSON.stringify(clip, null, 2));
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
