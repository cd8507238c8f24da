import { Ban, CalendarSearch, LogOut, Pencil, Tag, UserMinus, UserPlus, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import { Nickname } from '@/features/people';
import { usePresence } from '@/features/presence';
import type { Conversation, User } from '@/protocol';
import { nameOf, ownNameOf, titleOf } from '@/store/selectors';
import { Button, IconButton } from '@/ui/Button';
import { ConversationAvatar } from '@/ui/ConversationAvatar';
import { Confirm, Dialog } from '@/ui/Dialog';
import { TextArea, TextField } from '@/ui/TextField';
import { AddPeople } from './AddPeople';
import { MemberList } from './MemberList';
import { PinnedMessages } from './PinnedMessages';
import { useOwnChoices } from './useOwnChoices';

export interface DetailsPanelProps {
  conversation: Conversation;
  onClose: () => void;
  onJumpToDate: () => void;
  /** Opens another conversation, or a message of this one. */
  onOpen: (conversationId: string, seq?: number) => void;
}

/** Beside the messages: the other user or the members, and the actions on them. */
export default function DetailsPanel({ conversation, onClose, onJumpToDate, onOpen }: DetailsPanelProps) {
  const { t } = useI18n();
  const title = useChat((state) => titleOf(state, conversation));
  return (
    <aside
      aria-label={t('details.title')}
      className="flex w-full shrink-0 flex-col overflow-y-auto border-s border-line bg-sidebar max-lg:absolute max-lg:inset-0 max-lg:z-30 lg:w-80"
    >
      <header className="flex min-h-16 items-center gap-2 px-5 py-2">
        <h2 className="flex-1 font-semibold">{t('details.title')}</h2>
        <IconButton label={t('details.close')} onClick={onClose}>
          <X size={20} aria-hidden />
        </IconButton>
      </header>
      <div className="flex flex-col items-center gap-2 px-5 pb-6 text-center">
        <ConversationAvatar conversation={conversation} title={title} size="large" />
        <p className="max-w-full text-lg font-semibold wrap-anywhere" dir="auto">
          {title}
        </p>
        {conversation.peer != null ? (
          <PersonLines user={conversation.peer} />
        ) : (
          conversation.description !== '' && (
            <p className="max-w-full text-sm wrap-anywhere whitespace-pre-wrap text-muted" dir="auto">
              {conversation.description}
            </p>
          )
        )}
      </div>
      <div className="flex flex-col px-3 pb-6">
        <Part>
          <PinnedMessages conversationId={conversation.id} onOpen={(seq) => onOpen(conversation.id, seq)} />
          <Action icon={<CalendarSearch size={18} />} onClick={onJumpToDate}>
            {t('message.jumpToDate')}
          </Action>
        </Part>
        <Part>
          <OwnChoices conversation={conversation} />
        </Part>
        {conversation.peer != null ? (
          <>
            <PersonActions user={conversation.peer} />
            <Part>
              <Leave conversation={conversation} />
            </Part>
          </>
        ) : (
          <GroupActions conversation={conversation} onOpen={onOpen} />
        )}
      </div>
    </aside>
  );
}

function PersonLines({ user }: { user: User }) {
  const presence = usePresence(user.id);
  // Below the nickname, the user's own display name.
  const renamed = useChat((state) => nameOf(state, user) !== ownNameOf(user));
  return (
    <>
      <p className="max-w-full text-sm wrap-anywhere text-muted" dir="auto">
        {renamed && user.display_name ? `${ownNameOf(user)} · ` : ''}@{user.username}
      </p>
      {presence.text !== '' && <p className="max-w-full text-sm wrap-anywhere text-muted">{presence.text}</p>}
      {user.bio !== '' && (
        <p className="max-w-full overflow-clip text-sm wrap-anywhere whitespace-pre-wrap" dir="auto">
          {user.bio}
        </p>
      )}
    </>
  );
}

/** Actions of one kind, separated from the others by a line. */
function Part({ children }: { children: ReactNode }) {
  return <div className="flex flex-col border-t border-line py-2">{children}</div>;
}

function Action({
  icon,
  danger = false,
  onClick,
  children,
}: {
  icon: ReactNode;
  danger?: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      onClick={onClick}
      className={`flex min-h-11 items-center gap-3 rounded-lg px-3 text-start hover:bg-hover ${danger ? 'text-danger' : ''}`}
    >
      <span aria-hidden className={danger ? '' : 'text-muted'}>
        {icon}
      </span>
      {children}
    </button>
  );
}

function OwnChoices({ conversation }: { conversation: Conversation }) {
  return useOwnChoices(conversation).map((one) => (
    <Action key={one.text} icon={<one.Icon size={18} />} onClick={one.run}>
      {one.text}
    </Action>
  ));
}

function PersonActions({ user }: { user: User }) {
  const { t } = useI18n();
  const { contacts } = useSession();
  const attempt = useAttempt();
  const isContact = useChat((state) => state.contacts[user.id] !== undefined);
  const isBlocked = useChat((state) => state.blocked[user.id] !== undefined);
  const name = useChat((state) => nameOf(state, user));
  const [asking, setAsking] = useState<'block' | 'name' | null>(null);
  const block = (on: boolean) => void attempt(() => contacts.setBlocked(user.id, on));
  return (
    <Part>
      <Action icon={<Tag size={18} />} onClick={() => setAsking('name')}>
        {t('contact.nickname')}
      </Action>
      <Action
        icon={isContact ? <UserMinus size={18} /> : <UserPlus size={18} />}
        onClick={() => void attempt(() => (isContact ? contacts.remove(user.id) : contacts.add(user.id)))}
      >
        {isContact ? t('contact.remove') : t('contact.add')}
      </Action>
      <Action
        icon={<Ban size={18} />}
        danger={!isBlocked}
        onClick={() => (isBlocked ? block(false) : setAsking('block'))}
      >
        {isBlocked ? t('contact.unblock') : t('contact.block')}
      </Action>
      {asking === 'name' && <Nickname user={user} onClose={() => setAsking(null)} />}
      {asking === 'block' && (
        <Confirm
          title={t('contact.block.title', name)}
          text={t('contact.block.text')}
          action={t('contact.block')}
          onConfirm={() => block(true)}
          onClose={() => setAsking(null)}
        />
      )}
    </Part>
  );
}

function GroupActions({
  conversation,
  onOpen,
}: {
  conversation: Conversation;
  onOpen: (id: string) => void;
}) {
  const { t } = useI18n();
  const [asking, setAsking] = useState<'rename' | 'add' | null>(null);
  const mayManage = conversation.me.role !== 'member';
  return (
    <>
      <Part>
        {mayManage && (
          <>
            <Action icon={<Pencil size={18} />} onClick={() => setAsking('rename')}>
              {t('details.rename')}
            </Action>
            <Action icon={<UserPlus size={18} />} onClick={() => setAsking('add')}>
              {t('details.add')}
            </Action>
          </>
        )}
        <Leave conversation={conversation} />
      </Part>
      <MemberList conversation={conversation} onOpen={onOpen} />
      {asking === 'rename' && <Rename conversation={conversation} onClose={() => setAsking(null)} />}
      {asking === 'add' && <AddPeople conversationId={conversation.id} onClose={() => setAsking(null)} />}
    </>
  );
}

/** Only a member can undo leaving a group; a direct conversation comes back with the next message. */
function Leave({ conversation }: { conversation: Conversation }) {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const [asking, setAsking] = useState(false);
  const name = useChat((state) => titleOf(state, conversation));
  const words =
    conversation.kind === 'direct'
      ? { do: t('details.drop'), title: t('details.drop.title'), text: t('details.drop.text', name) }
      : { do: t('details.leave'), title: t('details.leave.title'), text: t('details.leave.text') };
  return (
    <>
      <Action icon={<LogOut size={18} />} danger onClick={() => setAsking(true)}>
        {words.do}
      </Action>
      {asking && (
        <Confirm
          title={words.title}
          text={words.text}
          action={words.do}
          onConfirm={() => void attempt(() => actions.leave(conversation.id))}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

function Rename({ conversation, onClose }: { conversation: Conversation; onClose: () => void }) {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const [name, setName] = useState(conversation.name ?? '');
  const [description, setDescription] = useState(conversation.description);
  const save = async () => {
    if (await attempt(() => actions.updateConversation(conversation.id, { name: name.trim(), description })))
      onClose();
  };
  return (
    <Dialog
      title={t('details.rename')}
      onClose={onClose}
      footer={
        <Button kind="primary" disabled={name.trim() === ''} onClick={() => void save()}>
          {t('details.save')}
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        <TextField
          label={t('details.name')}
          value={name}
          maxLength={100}
          data-autofocus
          onChange={(event) => setName(event.target.value)}
        />
        <TextArea
          label={t('details.description')}
          value={description}
          maxLength={1000}
          onChange={setDescription}
        />
      </div>
    </Dialog>
  );
}
