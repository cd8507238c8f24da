import { type ReactNode, useEffect } from 'react';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import type { User } from '@/protocol';
import { nameOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { Button } from '@/ui/Button';

/** The contact list and the block list. */
export function People() {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const contacts = useChat((state) => state.contacts);
  const blocked = useChat((state) => state.blocked);
  useEffect(() => {
    void actions.loadContacts().catch(() => undefined);
  }, [actions]);
  return (
    <div className="flex flex-col gap-6">
      <List title={t('contact.list')} empty={t('contact.none')}>
        {Object.values(contacts).map(({ user }) => (
          <Row
            key={user.id}
            user={user}
            action={t('contact.remove')}
            onAction={() => void attempt(() => actions.setContact(user.id, false))}
          />
        ))}
      </List>
      <List title={t('contact.blockedList')} empty={t('contact.noneBlocked')}>
        {Object.values(blocked).map((user) => (
          <Row
            key={user.id}
            user={user}
            action={t('contact.unblock')}
            onAction={() => void attempt(() => actions.setBlocked(user.id, false))}
          />
        ))}
      </List>
    </div>
  );
}

function List({ title, empty, children }: { title: string; empty: string; children: ReactNode[] }) {
  return (
    <section>
      <h3 className="pb-1 font-semibold">{title}</h3>
      {children.length === 0 ? <p className="text-sm text-muted">{empty}</p> : <ul>{children}</ul>}
    </section>
  );
}

function Row({ user, action, onAction }: { user: User; action: string; onAction: () => void }) {
  const name = useChat((state) => nameOf(state, user));
  return (
    <li className="flex flex-wrap items-center gap-3 py-1.5">
      <Avatar id={user.id} name={name} url={user.avatar_url} size="small" />
      <span className="min-w-24 flex-1 truncate" dir="auto">
        {name}
      </span>
      <Button className="min-h-9 px-3 text-sm" onClick={onAction}>
        {action}
        <span className="sr-only">: {name}</span>
      </Button>
    </li>
  );
}
