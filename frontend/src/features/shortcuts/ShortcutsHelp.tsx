import { useI18n } from '@/app/context';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Kbd } from './Kbd';
import { COMMANDS, commandsOf, PLACES, type Place } from './registry';
import { useKeys } from './useKeys';

/** Fixed keys, in addition to those of the registry. */
const FIXED = {
  everywhere: [[['?'], 'shortcuts.help'] as const, [['Esc'], 'shortcuts.close'] as const],
  composer: [
    [['Enter'], 'shortcuts.send'] as const,
    [['Shift', 'Enter'], 'shortcuts.newline'] as const,
    [['↑'], 'shortcuts.editLast'] as const,
    [['Shift', '↑'], 'shortcuts.intoMessages'] as const,
  ],
  message: [[['↑', '↓'], 'shortcuts.move'] as const, [['Enter'], 'message.more'] as const],
};

const TITLES = {
  everywhere: 'shortcuts.general',
  composer: 'shortcuts.composer',
  message: 'shortcuts.messages',
} as const;

export default function ShortcutsHelp({ onClose, onChange }: { onClose: () => void; onChange: () => void }) {
  const { t } = useI18n();
  return (
    <Dialog
      title={t('shortcuts.title')}
      onClose={onClose}
      size="large"
      readOnly
      footer={<Button onClick={onChange}>{t('shortcuts.change')}</Button>}
    >
      {/* The longest list beside the two others. */}
      <div className="grid gap-x-10 gap-y-6 sm:grid-cols-2 sm:grid-rows-[auto_1fr] sm:*:first:row-span-2">
        {PLACES.map((place) => (
          <Group key={place} place={place} />
        ))}
      </div>
    </Dialog>
  );
}

function Group({ place }: { place: Place }) {
  const { t } = useI18n();
  const keys = useKeys();
  const commands = commandsOf(place).filter((id) => keys.names(id).length > 0);
  return (
    <section>
      <h3 className="pb-2 text-sm font-semibold text-muted">{t(TITLES[place])}</h3>
      <dl className="flex flex-col gap-2">
        {commands.map((id) => (
          <Line key={id} text={t(COMMANDS[id].name)} names={keys.names(id)} />
        ))}
        {FIXED[place].map(([names, text]) => (
          <Line key={names.join()} text={t(text)} names={names} />
        ))}
      </dl>
    </section>
  );
}

function Line({ text, names }: { text: string; names: readonly string[] }) {
  return (
    <div className="flex items-center gap-3">
      <dt className="flex-1">{text}</dt>
      <dd>
        <Kbd names={names} />
      </dd>
    </div>
  );
}
