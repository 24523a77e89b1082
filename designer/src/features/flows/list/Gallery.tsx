/** A new flow: from a template with its picture, or from blank. */
import { Button, Input, Modal } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { CREATE, FROM_TEMPLATE, META } from './data';
import { FlowPicture } from './FlowPicture';
import { blank, type FlowFile, KINDS, keyFor } from './model';
import { useTemplates } from './templates';
import { listWords } from './words';

interface Card {
  id: string;
  title: string;
  help: string;
  kind: string;
  document: FlowFile;
}

export function Gallery({ open, folder, onClose }: { open: boolean; folder: string; onClose: () => void }) {
  const w = useWords(listWords);
  const navigate = useNavigate();
  const templates = useTemplates(open);
  const [chosen, setChosen] = useState<Card | null>(null);
  const [name, setName] = useState('');
  const [create, busy] = useChange(CREATE);
  const [begin, beginning] = useChange(FROM_TEMPLATE);
  const [sort] = useChange(META);

  const blanks: Card[] = KINDS.map((kind) => ({
    id: `blank:${kind}`,
    title: w('blankOf', { kind: w(`kind_${kind}`) }),
    help: w(`kind_${kind}_help`),
    kind,
    document: blank(kind),
  }));
  const choose = (card: Card) => {
    setChosen(card);
    if (!name || [...templates, ...blanks].some((one) => one.title === name))
      setName(card.id.startsWith('blank:') ? '' : card.title);
  };
  const make = async () => {
    if (!chosen || !name.trim()) return;
    const document = { ...chosen.document, id: keyFor(name, chosen.kind), name: name.trim() };
    // A template brings its test cases along.
    const done = chosen.id.startsWith('blank:')
      ? await create({ document })
      : await begin({ key: chosen.id, name: name.trim() });
    if (!done.value) return;
    if (folder) await sort({ key: done.value.flow.key, folder });
    onClose();
    void navigate(`/flows/${done.value.flow.key}`);
  };
  const section = (title: string, cards: Card[]) =>
    cards.length > 0 && (
      <section>
        <h3>{title}</h3>
        <div className="cw-gallery">
          {cards.map((card) => (
            <button
              type="button"
              key={card.id}
              className="cw-template"
              aria-pressed={chosen?.id === card.id}
              onClick={() => choose(card)}
              onDoubleClick={() => {
                choose(card);
                void make();
              }}
            >
              <FlowPicture document={card.document} />
              <strong>{card.title}</strong>
              <span>{card.help}</span>
              <small>
                {w(`kind_${card.kind as (typeof KINDS)[number]}`)} ·{' '}
                {w('steps', { count: Object.keys(card.document.nodes).length })}
              </small>
            </button>
          ))}
        </div>
      </section>
    );
  return (
    <Modal
      open={open}
      onCancel={onClose}
      title={w('gallery')}
      width={960}
      destroyOnHidden
      afterClose={() => {
        setChosen(null);
        setName('');
      }}
      footer={
        <form
          className="cw-gallery-foot"
          onSubmit={(event) => {
            event.preventDefault();
            void make();
          }}
        >
          <Input
            aria-label={w('flowName')}
            placeholder={w('flowName')}
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <Button
            type="primary"
            htmlType="submit"
            disabled={!chosen || !name.trim()}
            loading={busy || beginning}
          >
            {w('create')}
          </Button>
        </form>
      }
    >
      <p className="cw-quiet">{w('galleryHelp')}</p>
      <div className="cw-gallery-scroll">
        {section(w('templates'), templates)}
        {section(w('blank'), blanks)}
      </div>
    </Modal>
  );
}
