import { useEffect } from 'react';
import { useClient } from 'urql';
import { useEditorStore } from '../store';
import { startChecking } from './check';

/** Keeps the problems of the open flow up to date while the editor is open. */
export function ProblemsWatcher() {
  const editor = useEditorStore();
  const client = useClient();
  useEffect(() => startChecking(editor, client), [editor, client]);
  return null;
}
