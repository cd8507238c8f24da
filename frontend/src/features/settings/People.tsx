import { Tag, UserMinus } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import { Nickname } from '@/features/people';
import type { User } from '@/protocol';
import { nameOf, ownNameOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { Button, IconButton } from '@/ui/Button';

/** The contact list and the block list. */
export function People() {
  const { t } = useI18n();
  const session = useSession();
  const attempt = useAttempt();
  const [renaming, setRenaming] = useState<User | null>(null);
  const contacts = useChat((state) => state.contacts);
  const blocked = useChat((state) => state.blocked);
  useEffect(() => {
    void session.contacts.load().catch(() => undefined);
  }, [session]);
  return (
    <div className="flex flex-col gap-6">
      <List title={t('contact.list')} empty={t('contact.none')}>
        {Object.values(contacts).map(({ user }) => (
          <Row
            key={user.id}
            user={user}
            onRename={() => setRenaming(user)}
            onRemove={() => void attempt(() => session.contacts.remove(user.id))}
          />
        ))}
      </List>
      <List title={t('contact.blockedList')} empty={t('contact.noneBlocked')}>
        {Object.values(blocked).map((user) => (
          <Row
            key={user.id}
            user={user}
            onUnblock={() => void attempt(() => session.contacts.setBlocked(user.id, false))}
          />
        ))}
      </List>
      {renaming !== null && <Nickname user={renaming} onClose={() => setRenaming(null)} />}
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

function Row({
  user,
  onRename,
  onRemove,
  onUnblock,
}: {
  user: User;
  onRename?: () => void;
  onRemove?: () => void;
  onUnblock?: () => void;
}) {
  const { t } = useI18n();
  const name = useChat((state) => nameOf(state, user));
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 py-1.5">
      <Avatar id={user.id} name={name} url={user.avatar_url} size="small" />
      <span className="min-w-24 flex-1">
        <span className="block truncate" dir="auto">
          {name}
        </span>
        <span className="block truncate text-sm text-muted" dir="auto">
          {user.display_name && user.display_name !== name ? `${ownNameOf(user)} · ` : ''}@{user.username}
        </span>
      </span>
      {onRename !== undefined && (
        <IconButton size="small" label={t('contact.nickname.of', name)} onClick={onRename}>
          <Tag size={16} aria-hidden />
        </IconButton>
      )}
      {onRemove !== undefined && (
        <IconButton size="small" label={`${t('contact.remove')}: ${name}`} onClick={onRemove}>
          <UserMinus size={16} aria-hidden />
        </IconButton>
      )}
      {onUnblock !== undefined && (
        <Button className="min-h-9 px-3 text-sm" onClick={onUnblock}>
          {t('contact.unblock')}
          <span className="sr-only">: {name}</span>
        </Button>
      )}
    </li>
  );
}
