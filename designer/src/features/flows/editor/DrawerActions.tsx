import { ChartNoAxesColumn, History } from 'lucide-react';
import { useWords } from '@/i18n';
import { IconButton } from '@/ui';
import { liveWords } from './live/words';
import { useEditor, useEditorStore } from './store';
import { versionWords } from './versions/words';

/** Buttons in the top bar that open the history and the numbers. */
export function DrawerActions() {
  const versions = useWords(versionWords);
  const live = useWords(liveWords);
  const store = useEditorStore();
  const drawer = useEditor((state) => state.drawer);
  return (
    <>
      <IconButton
        size="small"
        label={live('title')}
        active={drawer === 'runs'}
        icon={<ChartNoAxesColumn size={16} />}
        onClick={() => store.getState().open('runs')}
      />
      <IconButton
        size="small"
        label={versions('title')}
        active={drawer === 'versions'}
        icon={<History size={16} />}
        onClick={() => store.getState().open('versions')}
      />
    </>
  );
}
