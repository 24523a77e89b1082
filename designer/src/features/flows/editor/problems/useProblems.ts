/** The problems of the open flow, for whoever shows them: the list, badges, the panel, publishing. */
import { useMemo } from 'react';
import { useStore } from 'zustand';
import { useEditor, useEditorStore } from '../store';
import { type Checked, type FlowProblem, problemsOf } from './check';

export interface Problems {
  problems: FlowProblem[];
  errors: number;
  warnings: number;
  state: Checked['state'];
}

export function useProblems(): Problems {
  const editor = useEditorStore();
  const checked = useStore(problemsOf(editor));
  const nodes = useEditor((state) => state.doc.nodes);
  return useMemo(() => {
    // What was said about a node that is gone needs nobody any more.
    const problems = checked.problems.filter((one) => one.node === null || one.node in nodes);
    const errors = problems.filter((one) => one.severity === 'error').length;
    return { problems, errors, warnings: problems.length - errors, state: checked.state };
  }, [checked, nodes]);
}

const NONE: FlowProblem[] = [];
const byNode = new WeakMap<FlowProblem[], Map<string, FlowProblem[]>>();

function grouped(problems: FlowProblem[]): Map<string, FlowProblem[]> {
  let found = byNode.get(problems);
  if (!found) {
    found = new Map();
    for (const one of problems) {
      if (one.node === null) continue;
      const list = found.get(one.node);
      if (list) list.push(one);
      else found.set(one.node, [one]);
    }
    byNode.set(problems, found);
  }
  return found;
}

/** Those of one node; the same list while nothing changed about it. */
export function useNodeProblems(node: string): FlowProblem[] {
  return useStore(problemsOf(useEditorStore()), (checked) => grouped(checked.problems).get(node) ?? NONE);
}
