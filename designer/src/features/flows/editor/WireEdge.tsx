/** An edge: orthogonal with round corners. */
import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getSmoothStepPath } from '@xyflow/react';
import { memo } from 'react';
import { middleOf, roundPath } from './layout/path';
import { useEdgeMark } from './marks';
import type { Point } from './model';
import { edgeOverlays } from './slots';
import { START } from './wires';

export const WireEdge = memo(function WireEdge(props: EdgeProps) {
  const { id, source, target, sourceHandleId, selected } = props;
  const mark = useEdgeMark(id);
  const points = props.data?.points as Point[] | undefined;
  const [path, x, y] = points
    ? along(points)
    : getSmoothStepPath({
        sourceX: props.sourceX,
        sourceY: props.sourceY,
        sourcePosition: props.sourcePosition,
        targetX: props.targetX,
        targetY: props.targetY,
        targetPosition: props.targetPosition,
        borderRadius: 10,
        centerY: props.data?.crossing as number | undefined,
        offset: 20,
      });
  const state = mark.state ?? (selected ? 'selected' : undefined);
  const quiet =
    sourceHandleId === 'error' || sourceHandleId === 'hangup' || (source.startsWith('@') && source !== START);
  return (
    <>
      <BaseEdge
        id={id}
        path={path}
        interactionWidth={18}
        markerEnd={`url(#cw-arrow-${state ?? (quiet ? 'quiet' : 'plain')})`}
        className={`cw-wire ${state ?? ''} ${quiet ? 'quiet' : ''}`}
        style={mark.width === undefined ? undefined : { strokeWidth: mark.width }}
      />
      {(mark.label !== undefined || edgeOverlays.length > 0) && (
        <EdgeLabelRenderer>
          <div
            className="cw-wire-label"
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {mark.label !== undefined && <span className="cw-num">{mark.label}</span>}
            {edgeOverlays.map((Overlay, index) => (
              <Overlay key={String(index)} edge={{ from: source, port: sourceHandleId ?? '', to: target }} />
            ))}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
});

function along(points: Point[]): [string, number, number] {
  const { x, y } = middleOf(points);
  return [roundPath(points, 10), x, y];
}

/** Arrow heads, one for each look of an edge. */
export function Arrows() {
  return (
    <svg className="cw-arrows" aria-hidden="true">
      <defs>
        {['plain', 'quiet', 'selected', 'passed', 'added', 'removed', 'changed', 'dim'].map((look) => (
          <marker
            key={look}
            id={`cw-arrow-${look}`}
            className={`cw-arrow ${look}`}
            viewBox="0 0 10 10"
            refX="9"
            refY="5"
            markerWidth="12"
            markerHeight="12"
            markerUnits="userSpaceOnUse"
            orient="auto-start-reverse"
          >
            <path d="M1 1.5 L9 5 L1 8.5 Z" />
          </marker>
        ))}
      </defs>
    </svg>
  );
}
