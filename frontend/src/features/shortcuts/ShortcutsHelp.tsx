import { useI18n } from '@/app/context';
import type { TextKey } from '@/locales/en';
import { Dialog } from '@/ui/Dialog';

type PlainKey = Extract<
  TextKey,
  `shortcuts.${string}` | 'message.reply' | 'message.edit' | 'message.react' | 'message.more'
>;

const GROUPS: { title: PlainKey; rows: [string[], PlainKey][] }[] = [
  {
    title: 'shortcuts.general',
    rows: [
      [['Ctrl', 'K'], 'shortcuts.palette'],
      [['Ctrl', '/'], 'shortcuts.help'],
      [['Alt', 'N'], 'shortcuts.new'],
      [['Alt', '↓'], 'shortcuts.nextConversation'],
      [['Alt', '↑'], 'shortcuts.previousConversation'],
      [['Alt', 'Shift', '↓'], 'shortcuts.nextUnread'],
      [['Esc'], 'shortcuts.close'],
    ],
  },
  {
    title: 'shortcuts.composer',
    rows: [
      [['Enter'], 'shortcuts.send'],
      [['Shift', 'Enter'], 'shortcuts.newline'],
      [['↑'], 'shortcuts.editLast'],
      [['Ctrl', 'B'], 'shortcuts.bold'],
      [['Ctrl', 'I'], 'shortcuts.italic'],
      [['Ctrl', 'E'], 'shortcuts.code'],
    ],
  },
  {
    title: 'shortcuts.messages',
    rows: [
      [['↑', '↓'], 'shortcuts.move'],
      [['R'], 'message.reply'],
      [['E'], 'message.edit'],
      [['+'], 'message.react'],
      [['Enter'], 'message.more'],
    ],
  },
];

export default function ShortcutsHelp({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  return (
    <Dialog title={t('shortcuts.title')} onClose={onClose} size="large" readOnly>
      <div className="grid gap-x-10 gap-y-6 sm:grid-cols-2">
        {GROUPS.map((group) => (
          <section key={group.title}>
            <h3 className="pb-2 text-sm font-semibold text-muted">{t(group.title)}</h3>
            <dl className="flex flex-col gap-2">
              {group.rows.map(([keys, text]) => (
                <div key={text} className="flex items-center gap-3">
                  <dt className="flex-1">{t(text)}</dt>
                  <dd className="flex gap-1">
                    {keys.map((key) => (
                      <kbd
                        key={key}
                        className="min-w-7 rounded-md border border-line bg-sidebar px-1.5 py-0.5 text-center font-sans text-sm"
                      >
                        {key}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
