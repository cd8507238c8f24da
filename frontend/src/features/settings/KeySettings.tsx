import { type KeyboardEvent, useState } from 'react';
import { useI18n, useSettings } from '@/app/context';
import {
  COMMAND_IDS,
  COMMANDS,
  type CommandId,
  combinationOf,
  Kbd,
  keysOf,
  refusal,
  useKeys,
} from '@/features/shortcuts/remap';
import { Button } from '@/ui/Button';

/** Changes the keys of any command: press the button, then the keys. Keys in use are refused. */
export function KeySettings() {
  const { t } = useI18n();
  const [settings, set] = useSettings();
  const [asking, setAsking] = useState<CommandId | null>(null);
  const [problem, setProblem] = useState('');
  const own = settings.keys;

  const choose = (id: CommandId, combination: string) => {
    const refused = refusal(id, combination, own);
    if (refused === null) {
      const { [id]: _, ...others } = own;
      set({ keys: combination === COMMANDS[id].keys ? others : { ...own, [id]: combination } });
      setAsking(null);
      setProblem('');
    } else if (refused.reason === 'taken') setProblem(t('keys.taken', t(COMMANDS[refused.by].name)));
    else setProblem(t(refused.reason === 'reserved' ? 'keys.reserved' : 'keys.modifier'));
  };

  return (
    <div className="flex flex-col gap-4">
      <p className="text-sm text-muted">{t('keys.text')}</p>
      <p role="alert" className="text-sm text-danger empty:hidden">
        {problem}
      </p>
      <ul className="flex flex-col">
        {COMMAND_IDS.map((id) => (
          <KeyRow
            key={id}
            id={id}
            asking={asking === id}
            changed={keysOf(id, own) !== COMMANDS[id].keys}
            onAsk={() => {
              setAsking(asking === id ? null : id);
              setProblem('');
            }}
            onChoose={(combination) => choose(id, combination)}
            onReset={() => choose(id, COMMANDS[id].keys)}
          />
        ))}
      </ul>
      <div>
        <Button disabled={Object.keys(own).length === 0} onClick={() => set({ keys: {} })}>
          {t('keys.resetAll')}
        </Button>
      </div>
    </div>
  );
}

interface KeyRowProps {
  id: CommandId;
  asking: boolean;
  changed: boolean;
  onAsk: () => void;
  onChoose: (combination: string) => void;
  onReset: () => void;
}

function KeyRow({ id, asking, changed, onAsk, onChoose, onReset }: KeyRowProps) {
  const { t } = useI18n();
  const keys = useKeys();
  const name = t(COMMANDS[id].name);
  const onKeyDown = (event: KeyboardEvent<HTMLButtonElement>) => {
    if (!asking || event.key === 'Tab') return;
    event.preventDefault();
    event.stopPropagation();
    const combination = combinationOf(event);
    if (event.key === 'Escape') onAsk();
    else if (combination !== null) onChoose(combination);
  };
  return (
    <li className="flex min-h-11 flex-wrap items-center gap-2 border-b border-line py-1 last:border-0">
      <span className="min-w-32 flex-1">{name}</span>
      {changed && (
        <Button kind="quiet" className="px-2 text-sm" onClick={onReset}>
          {t('keys.reset')}
          <span className="sr-only">: {name}</span>
        </Button>
      )}
      <Button
        aria-pressed={asking}
        className="min-w-28 px-2"
        aria-label={t('keys.change', name, keys.hint(id) || t('keys.none'))}
        onClick={onAsk}
        onKeyDown={onKeyDown}
      >
        {asking ? (
          <span className="text-sm">{t('keys.press')}</span>
        ) : keys.names(id).length > 0 ? (
          <Kbd names={keys.names(id)} />
        ) : (
          <span className="text-sm text-muted">{t('keys.none')}</span>
        )}
      </Button>
    </li>
  );
}
