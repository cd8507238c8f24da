import { EllipsisVertical, MessageCircle, Shield, ShieldOff, UserMinus } from 'lucide-react';
import { useShallow } from 'zustand/react/shallow';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import { usePresence } from '@/features/presence';
import type { Conversation, Member } from '@/protocol';
import { nameOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { IconButton } from '@/ui/Button';
import { Menu, MenuItem } from '@/ui/Menu';

const RANK = { owner: 0, admin: 1, member: 2 };

export function MemberList({
  conversation,
  onOpen,
}: {
  conversation: Conversation;
  onOpen: (id: string) => void;
}) {
  const { t } = useI18n();
  const members = useChat(
    useShallow((state) =>
      Object.values(state.members[conversation.id] ?? {}).sort(
        (a, b) => RANK[a.role] - RANK[b.role] || nameOf(state, a.user).localeCompare(nameOf(state, b.user)),
      ),
    ),
  );
  return (
    <section className="border-t border-line pt-4">
      <h3 className="px-3 pb-1 text-sm font-semibold text-muted">
        {t('details.members', conversation.member_count)}
      </h3>
      <ul>
        {members.map((member) => (
          <ErrorBoundary
            key={member.user.id}
            of={member}
            fallback={() => <li className="px-3 py-1.5">@{member.user.username}</li>}
          >
            <MemberRow conversation={conversation} member={member} onOpen={onOpen} />
          </ErrorBoundary>
        ))}
      </ul>
    </section>
  );
}

interface MemberRowProps {
  conversation: Conversation;
  member: Member;
  onOpen: (id: string) => void;
}

function MemberRow({ conversation, member, onOpen }: MemberRowProps) {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const me = useChat((state) => state.me?.id);
  const name = useChat((state) => nameOf(state, member.user));
  const presence = usePresence(member.user.id);
  const own = member.user.id === me;
  const mine = conversation.me.role;
  const mayRemove = !own && (mine === 'owner' || (mine === 'admin' && member.role === 'member'));
  const write = async () => {
    let id = '';
    const started = await attempt(async () => {
      id = await actions.start({ kind: 'direct', user_id: member.user.id });
    });
    if (started) onOpen(id);
  };
  return (
    <li className="flex items-center gap-3 rounded-lg px-3 py-1.5">
      <Avatar
        id={member.user.id}
        name={name}
        url={member.user.avatar_url}
        size="small"
        presence={own ? 'online' : presence.state}
      />
      <span className="min-w-0 flex-1">
        <span className="block truncate" dir="auto">
          {own ? t('message.you') : name}
        </span>
        {member.role !== 'member' && (
          <span className="block text-xs text-muted">{t(`role.${member.role}`)}</span>
        )}
      </span>
      {!own && (
        <Menu
          label={t('details.memberOptions', name)}
          trigger={
            <IconButton size="small" label={t('details.memberOptions', name)}>
              <EllipsisVertical size={17} aria-hidden />
            </IconButton>
          }
        >
          <MenuItem icon={<MessageCircle size={16} />} onSelect={() => void write()}>
            {t('details.write')}
          </MenuItem>
          {mine === 'owner' && member.role === 'member' && (
            <MenuItem
              icon={<Shield size={16} />}
              onSelect={() => void attempt(() => actions.setRole(conversation.id, member.user.id, 'admin'))}
            >
              {t('details.makeAdmin')}
            </MenuItem>
          )}
          {mine === 'owner' && member.role === 'admin' && (
            <MenuItem
              icon={<ShieldOff size={16} />}
              onSelect={() => void attempt(() => actions.setRole(conversation.id, member.user.id, 'member'))}
            >
              {t('details.makeMember')}
            </MenuItem>
          )}
          {mayRemove && (
            <MenuItem
              icon={<UserMinus size={16} />}
              danger
              onSelect={() => void attempt(() => actions.removeMember(conversation.id, member.user.id))}
            >
              {t('details.removeMember')}
            </MenuItem>
          )}
        </Menu>
      )}
    </li>
  );
}
