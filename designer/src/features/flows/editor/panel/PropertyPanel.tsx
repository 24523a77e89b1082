/** What is selected, and everything that can be set about it. */
import { useEditor } from '../store';
import { isEvent } from '../wires';
import { FlowPanel } from './FlowPanel';
import { NodePanel } from './NodePanel';
import { CommentPanel, EdgePanel, EventPanel, ManyPanel } from './Others';
import './panel.css';

export function PropertyPanel() {
  const selection = useEditor((state) => state.selection);
  const count = selection.nodes.size + selection.edges.size + selection.comments.size;
  const [node] = selection.nodes;
  const [edge] = selection.edges;
  const [comment] = selection.comments;
  if (count === 0) return <FlowPanel />;
  if (selection.nodes.size + selection.comments.size > 1) return <ManyPanel />;
  if (node !== undefined)
    return isEvent(node) ? <EventPanel id={node} /> : <NodePanel key={node} id={node} />;
  if (comment !== undefined) return <CommentPanel key={comment} id={comment} />;
  if (selection.edges.size > 1) return <ManyPanel />;
  return edge === undefined ? <FlowPanel /> : <EdgePanel id={edge} />;
}
