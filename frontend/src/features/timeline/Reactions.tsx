import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import { cx } from '@/lib/cx';
import type { Message } from '@/protocol';
import { nameOf } from '@/store/selectors';

/** The reactions and who added them; a click adds or removes the user's own. */
export function Reactions({ id, message }: { id: string; message: Message }) {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const me = useChat((state) => state.me?.id ?? '');
  const names = useChat((state) =>
    message.reactions
      .map((one) =>
        one.user_ids.map((id) => (id === me ? t('message.you') : nameOf(state, state.people[id]))).join(', '),
      )
      .join('\n'),
  ).split('\n');
  return (
    <div id={id} className="-mt-1 flex flex-wrap gap-1 px-2">
      {message.reactions.map((one, index) => {
        const mine = one.user_ids.includes(me);
        return (
          <button
            key={one.emoji}
            type="button"
            aria-pressed={mine}
            aria-label={`${one.emoji} ${one.count}`}
            title={names[index]}
            onClick={() => void attempt(() => actions.react(message, one.emoji))}
            className={cx(
              'flex h-7 items-center gap-1.5 rounded-full border px-2 text-sm pointer-coarse:h-11 pointer-coarse:min-w-11 pointer-coarse:justify-center',
              mine ? 'border-accent bg-selected' : 'border-line bg-raised hover:bg-hover',
            )}
          >
            <span>{one.emoji}</span>
            <span className="text-xs font-medium">{one.count}</span>
          </button>
        );
      })}
    </div>
  );
}
