/** All keys of the editor. */
import { Modal } from 'antd';
import { useWords } from '@/i18n';
import { useEditor, useEditorStore } from './store';
import { editorWords } from './words';

const KEYS = [
  ['keyAdd', ['N']],
  ['keyPorts', ['1', '–', '9']],
  ['keyFollow', ['Alt', '← → ↑ ↓']],
  ['keyMove', ['← → ↑ ↓', 'Shift']],
  ['keyPanel', ['Enter']],
  ['keyDelete', ['Delete']],
  ['undo', ['Ctrl', 'Z']],
  ['redo', ['Ctrl', 'Shift', 'Z']],
  ['keyCopy', ['Ctrl', 'C / X / V']],
  ['duplicate', ['Ctrl', 'D']],
  ['keyAll', ['Ctrl', 'A']],
  ['group', ['Ctrl', 'G']],
  ['toSubflow', ['Ctrl', 'Shift', 'G']],
  ['arrange', ['L']],
  ['addNote', ['M']],
  ['find', ['Ctrl', 'F']],
  ['fit', ['Shift', '1']],
  ['actual', ['Shift', '0']],
  ['keyZoom', ['+', '–']],
  ['keyBox', ['Shift', '◰']],
  ['keySplice', ['Alt', '⤵']],
  ['keyMenu', ['☰', 'Shift F10']],
  ['keyEscape', ['Esc']],
  ['keys', ['?']],
] as const;

export function KeysDialog() {
  const t = useWords(editorWords);
  const store = useEditorStore();
  const open = useEditor((state) => state.dialog === 'keys');
  return (
    <Modal
      open={open}
      title={t('keys')}
      footer={null}
      width={620}
      onCancel={() => store.getState().ask(null)}
    >
      <dl className="cw-ed-keys">
        {KEYS.map(([word, keys]) => (
          <div key={word}>
            <dt>{t(word)}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
