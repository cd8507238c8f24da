import { useChat, useI18n } from '@/app/context';
import { nameOf } from '@/store/selectors';

/** Returns "Anna is typing", or null. */
export function useTyping(conversationId: string): string | null {
  const { t } = useI18n();
  const names = useChat((state) =>
    Object.keys(state.typing[conversationId] ?? {})
      .map((id) => nameOf(state, state.people[id]))
      .join('\n'),
  );
  if (names === '') return null;
  const [first = '', second = '', ...more] = names.split('\n');
  if (second === '') return t('typing.one', first);
  return more.length === 0 ? t('typing.two', first, second) : t('typing.many');
}
