import { Button, Dropdown } from 'antd';
import { ChevronDown } from 'lucide-react';
import { useWords } from '@/i18n';
import { useEditor, useEditorStore } from '../store';
import { testCallWords } from '../testcall/words';
import { simulatorWords } from './words';

/** The button in the top bar: try the flow without a phone, or with one. */
export function TestAction() {
  const t = useWords(simulatorWords);
  const call = useWords(testCallWords);
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  return (
    <Dropdown
      trigger={['click']}
      disabled={readOnly}
      menu={{
        items: [
          { key: 'simulator', label: t('title') },
          { key: 'testcall', label: call('title') },
        ],
        onClick: ({ key }) => store.getState().open(key),
      }}
    >
      <Button size="small" iconPlacement="end" icon={<ChevronDown size={14} aria-hidden />}>
        {t('test')}
      </Button>
    </Dropdown>
  );
}
