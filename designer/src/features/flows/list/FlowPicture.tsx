/** A flow as a small drawing: boxes by family, the entry filled. */
import { useMemo } from 'react';
import { useWords } from '@/i18n';
import { PICTURE_BOX, picture } from './picture';
import { listWords } from './words';

export function FlowPicture({ document, height = 120 }: { document: unknown; height?: number }) {
  const w = useWords(listWords);
  const drawn = useMemo(() => picture(document), [document]);
  const pad = 6;
  // A small flow keeps its size; a large one is made to fit.
  const wide = Math.max(drawn.width + 2 * pad, 180);
  const high = Math.max(drawn.height + 2 * pad, 96);
  const left = (wide - drawn.width) / 2;
  const top = (high - drawn.height) / 2;
  const middle = PICTURE_BOX.width / 2;
  return (
    <svg
      className="cw-picture"
      viewBox={`0 0 ${wide} ${high}`}
      height={height}
      width="100%"
      role="img"
      aria-label={w('picture', { count: drawn.boxes.length })}
      preserveAspectRatio="xMidYMid meet"
    >
      <g transform={`translate(${left} ${top})`}>
        {drawn.lines.map((line) => {
          const x1 = line.from.x + middle;
          const y1 = line.from.y + PICTURE_BOX.height;
          const x2 = line.to.x + middle;
          const y2 = line.to.y;
          const bend = (y1 + y2) / 2;
          const back = line.to.y <= line.from.y;
          return (
            <path
              key={`${line.from.id}>${line.to.id}`}
              data-back={back || undefined}
              d={
                back
                  ? `M ${x1} ${line.from.y} C ${x1} ${line.from.y - 12}, ${x2 + 24} ${y2 + 6}, ${line.to.x + PICTURE_BOX.width} ${y2 + PICTURE_BOX.height / 2}`
                  : `M ${x1} ${y1} C ${x1} ${bend}, ${x2} ${bend}, ${x2} ${y2}`
              }
            />
          );
        })}
        {drawn.boxes.map((box) => (
          <rect
            key={box.id}
            x={box.x}
            y={box.y}
            width={PICTURE_BOX.width}
            height={PICTURE_BOX.height}
            rx={3}
            data-family={box.family}
            data-entry={box.entry || undefined}
          />
        ))}
      </g>
    </svg>
  );
}
