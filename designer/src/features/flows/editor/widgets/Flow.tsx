/** Which flow runs as a step of this one: what it needs, what it gives back. */

import { remarked, useLanguage, useText, useWords } from '@/i18n';
import { StateTag } from '@/ui';
import { useEditor } from '../store';
import { useForm, type WidgetProps } from './form';
import { Picker } from './Stored';
import { useFlowFace, useFlows } from './stored';
import { widgetWords } from './words';

export function FlowWidget(props: WidgetProps) {
  const form = useForm();
  const w = useWords(widgetWords);
  const t = useText();
  const language = useLanguage();
  const own = useEditor((state) => ({ key: state.key, kind: state.doc.kind }).key);
  const kind = useEditor((state) => state.doc.kind);
  const { rows, ready, waits, again } = useFlows();
  const key = typeof props.value === 'string' ? props.value : '';
  const alias = typeof form.config.alias === 'string' && form.config.alias ? form.config.alias : 'live';
  const pinned = typeof form.config.version === 'number' ? form.config.version : null;
  const face = useFlowFace(key, alias, pinned);
  const useful = rows
    .filter((one) => one.key !== own && (one.kind === 'subflow' || one.kind === kind))
    .sort((one, other) => Number(other.kind === 'subflow') - Number(one.kind === 'subflow'));
  const comma = language === 'zh' ? '、' : ', ';
  return (
    <Picker
      props={props}
      rows={useful.map((one) => ({ name: one.key, about: one.name }))}
      ready={ready}
      waits={waits}
      again={again}
      page={key ? `/flows/${key}` : '/flows'}
      pageLabel={key ? w('flowOpen') : w('flowNew')}
      about={
        face && (
          <>
            <span>{face.name}</span>
            {face.version === null ? (
              <StateTag tone="wait">{w('flowUnpublished')}</StateTag>
            ) : (
              <span className="cw-quiet">{w('flowRuns', { version: face.version })}</span>
            )}
            {face.version !== null && (
              <span className="cw-quiet">
                {face.outputs.length > 0
                  ? w('flowGives', {
                      names: face.outputs
                        .map((one) => remarked(one.title || one.name, t(one.typeTitle)))
                        .join(comma),
                    })
                  : w('flowNothing')}
              </span>
            )}
          </>
        )
      }
    />
  );
}
